// The frame of a function: which registers hold addresses in it, and the objects that it falls into.
#pragma once

#include <array>
#include <limits>
#include <vector>

#include "ir/lift/shape.hpp"

namespace espy::ir::lifting {

inline constexpr std::int32_t kNowhere = std::numeric_limits<std::int32_t>::min();

/// By register: its distance from r10 in bytes if it is known to hold an address in the frame; else kNowhere.
using Places = std::array<std::int32_t, isa::kRegisters>;

/// Moves over an instruction.
void step(const Effect& effect, Places& places);

/// Bytes of the frame that are one object: [from, to), counted from r10.
struct FrameObject {
  std::int32_t from = 0, to = 0;
};

struct Frame {
  std::vector<Places> at_begin;        ///< by block
  std::vector<FrameObject> objects;    ///< by `from`, apart from each other
};

/// Objects are split where every access is known; one whose address goes where it is not followed is the whole frame.
Frame frame_of(const Shape& shape, const Function& function);

}  // namespace espy::ir::lifting
