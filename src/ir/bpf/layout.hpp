// The last stage: blocks in a row, jumps with distances.
#pragma once

#include "base/error.hpp"
#include "ir/bpf/machine.hpp"

namespace espy::ir::bpf {

/// Says how deep in loops each block stands: how many jumps back reach over it.
void find_depths(MFunction& function);

/// Lets blocks that end alike, in a result and the exit, go on to one block that does it. After register allocation.
void share_exits(MFunction& function);

/// Where any result will do: leaves out the result of exits that r0 reaches with something in it. After share_exits.
void drop_results(MFunction& function);

/// The code of a function whose registers are all the machine's.
Result<Code> lay_out(const MFunction& function, const Options& options, const std::string& name);

}  // namespace espy::ir::bpf
