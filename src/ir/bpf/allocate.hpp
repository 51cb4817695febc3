// Register allocation: see allocate.cpp.
#pragma once

#include "base/error.hpp"
#include "ir/bpf/liveness.hpp"
#include "ir/bpf/machine.hpp"
#include "ir/registers/scan.hpp"

namespace espy::ir::bpf {

/// Gives every virtual register one of the machine's, spilling to the stack what does not fit. Afterwards the function
/// names machine registers only, and copies whose sides became one register are still there: layout leaves them out.
Result<void> allocate(MFunction& function);

/// A virtual register that is to live on the stack.
struct Spilled {
  Reg reg = kNoReg;
  std::int32_t offset = 0;       ///< from the frame pointer
  std::int64_t remake = -1;      ///< the instruction that makes its value from nothing: no stack is needed; -1: none
  bool each_use = false;         ///< loaded for each instruction apart, not once for several
};

using registers::Spilling;

/// What `insert_spills` keeps from round to round.
struct SpillState {
  std::vector<Spilling> spilling;    ///< by register: short-lived ones are loaded for several uses, the shortest for one
  std::vector<std::int32_t> slot;    ///< by register: where the value it holds lives; 0: nowhere
};

/// Rewrites the function: loads before uses of spilled registers, stores behind definitions, through new registers.
void insert_spills(MFunction& function, std::span<const Spilled> spilled, SpillState& state);

/// Takes away loads of what a register still holds, and stores that another one overwrites, of the slots below the
/// first `own` bytes of the frame. Registers are the machine's.
void clean_spills(MFunction& function, std::uint32_t own);

}  // namespace espy::ir::bpf
