// A budget for compiled programs: what goes round, or is called, counts.
#pragma once

#include "ir/ir.hpp"

namespace espy::vm {

/// Every loop and every function but the program itself counts down, by as many instructions as a turn may have, and ends the
/// run when nothing is left (ir::x86::kCountTurns). Functions must be laid out.
void bound_turns(ir::Module& module);

}  // namespace espy::vm
