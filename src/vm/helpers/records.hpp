// Records of ring buffers, as programs hold them.
#pragma once

#include <cstdint>

namespace espy::vm {

/// A record's address, which the run then holds and may touch; 0: the map is no ring buffer, or has no room.
std::uint64_t reserve_record(std::uint64_t map, std::uint64_t size);
/// Gives it back; one that the run does not hold ends the run.
std::uint64_t finish_record(std::uint64_t record, bool discard);

}  // namespace espy::vm
