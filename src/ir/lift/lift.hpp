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
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "facts/prototypes.hpp"
#include "ir/bpf/emit.hpp"
#include "ir/ir.hpp"
#include "isa/insn.hpp"

namespace espy::ir {

/// What a kfunc call, a packet load and an indirect call become: calls of helpers that no program can name.
enum LiftedHelper : std::uint32_t {
  kFirstKfunc = 1U << 24,    ///< + the kfunc's number
  kLoadPacket = 1U << 25,    ///< (offset, bytes) to what the packet has there; negative: it has not
  kNoFunction,               ///< (): an indirect call of what is no function. If it returns, the function gives 0
};

struct Bytecode {
  std::span<const isa::Insn> code;                  ///< the program from slot 0, what it calls behind it
  /// Maps that 64-bit immediates stand for. Immediates without an entry are numbers, or addresses already.
  std::span<const bpf::Reference> references = {};
  /// What a callee takes: a helper, or a kfunc by the number in the call. nullptr: it is not known. Empty: the kernel's helpers.
  std::function<const facts::Prototype*(bool kfunc, std::int32_t number)> prototype = {};
  /// bpf_loop with a function that is known becomes a loop that calls it.
  bool expand_loops = false;
};

struct Lifted {
  Module module;                       ///< function 0 is the program. Marks are 1 + the instruction's slot
  std::vector<std::uint32_t> begins;   ///< by FuncId: the slot where it begins
};

/// `unsupported` where an instruction has no form in the IR (an indirect jump), or functions call each other in a circle;
/// malformed code is an error.
Result<Lifted> lift(const Bytecode& program);

}  // namespace espy::ir
