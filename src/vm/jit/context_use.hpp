// How much of its context a program is known to touch: what must be there before compiled code, which checks nothing, may run.
#pragma once

#include "ir/ir.hpp"

namespace espy::vm {

/// The end of the last access at a constant distance from the program's first parameter; 0: there is none.
std::uint32_t context_bytes(const ir::Function& program);

}  // namespace espy::vm
