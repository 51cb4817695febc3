// Programs: the IR function of each probe and subprogram of a script.
#pragma once

#include "trace/lower/unit.hpp"

namespace espy::trace::lowering {

/// Makes the functions of subprograms, in the order of Checked::subprograms, so that calls find them by their index.
void add_subprograms(Unit& unit);
/// Makes the function of a probe, and says in the plan what it is for.
void add_program(Unit& unit, std::uint32_t index);

}  // namespace espy::trace::lowering
