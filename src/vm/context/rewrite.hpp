// Rewrites a linked packet program's accesses of its context into accesses of a PacketContext.
#pragma once

#include <span>

#include "base/error.hpp"
#include "isa/insn.hpp"
#include "vm/context/fields.hpp"

namespace espy::vm {

/// Changes loads and stores in place; their number and the jumps stay. An access of a field that does not exist, that programs
/// of this type may not use, or of which nobody can say whether it is of the context, is an error that names the instruction.
/// The code must have passed isa::check.
Result<void> rewrite_context(std::span<isa::Insn> code, const ContextLayout& layout);

}  // namespace espy::vm
