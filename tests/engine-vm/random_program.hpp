// Random eBPF programs that the kernel's verifier accepts: arithmetic of all widths, the stack, atomics, forward jumps, loops.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/insn.hpp"

namespace espy::vm {

/// Takes no input; r0 is a number that depends on everything it computed, folded to 32 bits.
std::vector<isa::Insn> random_program(std::uint64_t seed);

}  // namespace espy::vm
