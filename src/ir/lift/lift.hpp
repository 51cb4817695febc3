// eBPF instructions → IR: a whole program, its subprograms and callbacks.
//
//   TRY(auto lifted, ir::lift({.code = program.code.insns}));
//   ir::optimise(lifted.module, …);
//
// The stages, each a file: `shape` finds functions, blocks, and which registers are live where; `stack` finds which registers
// hold addresses in the frame, and what objects the frame is made of; `lift` walks the instructions and turns registers into
// values: a block that is entered in several ways has a parameter for each register that is live there.
//
// Registers are i64. A 32-bit operation truncates its operands and extends its result, which passes clean up. An address that
// is not known to be in the frame is a number that an access turns into a pointer to `memory`. Every function is of one shape:
// up to five i64 (the program itself: first its context) to i64.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "ir/bpf/emit.hpp"
#include "ir/ir.hpp"
#include "isa/insn.hpp"

namespace espy::ir {

struct Bytecode {
  std::span<const isa::Insn> code;                  ///< the program from slot 0, what it calls behind it
  /// Maps that 64-bit immediates stand for. Immediates without an entry are numbers, or addresses already.
  std::span<const bpf::Reference> references = {};
};

struct Lifted {
  Module module;                       ///< function 0 is the program. Marks are 1 + the instruction's slot
  std::vector<std::uint32_t> begins;   ///< by FuncId: the slot where it begins
};

/// `unsupported` where an instruction has no form in the IR (an indirect call, a packet load); malformed code is an error.
Result<Lifted> lift(const Bytecode& program);

}  // namespace espy::ir
