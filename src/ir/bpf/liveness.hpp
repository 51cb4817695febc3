// Where registers hold values that are still wanted.
//
// Instruction i reads at position 2i and writes at 2i + 1; a register is live over half-open segments of positions, with
// holes between them. So a register that is read for the last time by the instruction that writes another may be that
// other one. Segments follow the layout of the blocks, in which loops need not be contiguous: each register's uses are
// walked back, block by block, to its definitions, at a cost of the blocks that it is live in.
#pragma once

#include <span>
#include <vector>

#include "ir/bpf/machine.hpp"

namespace espy::ir::bpf {

struct Segment {
  std::uint32_t start = 0, end = 0;
};

struct Liveness {
  std::vector<Segment> segments;            ///< of all registers, each one's together, by start, apart from each other
  std::vector<std::uint32_t> first, count;  ///< by register: its segments
  std::vector<float> weight;                ///< by register: how often it is read and written, loops counted tenfold

  std::span<const Segment> of(Reg reg) const { return {segments.data() + first[reg], count[reg]}; }
};

Liveness find_liveness(const MFunction& function);

/// Do two lists of segments have a position in common?
bool overlap(std::span<const Segment> a, std::span<const Segment> b);

}  // namespace espy::ir::bpf
