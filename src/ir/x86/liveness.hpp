// Where registers hold values that are still wanted.
//
// Instruction i reads at position 2i and writes at 2i + 1; a register is live over half-open segments of positions, with holes
// between them. So a register that is read for the last time by the instruction that writes another may be that other one.
#pragma once

#include <span>
#include <vector>

#include "ir/x86/machine.hpp"

namespace espy::ir::x86 {

struct Segment {
  std::uint32_t start = 0, end = 0;
};

struct Liveness {
  std::vector<Segment> segments;            ///< of all registers, each one's together, by start, apart from each other
  std::vector<std::uint32_t> first, count;  ///< by register: its segments
  std::vector<float> weight;                ///< by register: how often it is read and written, loops counted tenfold
};

Liveness find_liveness(const MFunction& function);

/// Do two lists of segments have a position in common?
bool overlap(std::span<const Segment> a, std::span<const Segment> b);

}  // namespace espy::ir::x86
