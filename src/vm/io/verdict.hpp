// What a packet program's return value says of its packet.
#pragma once

#include <cstdint>
#include <string_view>

#include "facts/types.hpp"

namespace espy::vm {

enum class Verdict : std::uint8_t { drop, abort, pass, send_back, redirect };
inline constexpr std::size_t kVerdicts = 5;
std::string_view to_string(Verdict verdict);

/// By the type's own numbers: XDP_TX, TC_ACT_SHOT, how many bytes a socket filter keeps …
Verdict verdict_of(facts::ProgType type, std::uint32_t value);

}  // namespace espy::vm
