// How records travel: in one ring, so that they arrive in order, whoever sent them.
//
// A flood of data (printf, print of values) may fill that ring, and what finds no room is lost and counted. Control records
// (exit, clear, print of maps, errors) must not be: scripts that have any get a second, small ring, and a control record
// that the first has no room for goes there. It is read after what stood in the first ring, so it keeps its place behind the
// records that filled it. So data costs one call of a helper and no question how full the ring is.
#pragma once

#include <cstdint>
#include <string_view>

namespace espy::trace {

inline constexpr std::string_view kControlRingMap = "ring_control";
inline constexpr std::uint32_t kControlRingBytes = 64 * 1024;

}  // namespace espy::trace
