// The interpreter: every instruction, one at a time, each checked. What does not pass ends the run with a Fault; nothing that a
// program does reaches memory that is not its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "isa/decode.hpp"
#include "vm/helpers/table.hpp"
#include "vm/registry.hpp"
#include "vm/run.hpp"

namespace espy::vm {

class Program;

/// One instruction, ready to run. Immediates stand where a register would: in register 11.
struct Step {
  isa::Operation operation = isa::Operation::exit;
  std::uint8_t dst = 0, src = 0;
  std::uint8_t bits = 64;
  std::uint8_t selected = 0;          ///< width of movsx
  std::int16_t offset = 0;
  std::uint32_t target = 0;           ///< of jumps and calls of subprograms: a step's number
  std::int64_t immediate = 0;
  const Callee* callee = nullptr;     ///< helpers and kfuncs
  bool tail_call = false;
};

/// A program's steps: step i is slot i of its code, so jumps need no other numbers.
struct Steps {
  std::vector<Step> steps;
  const Program* program = nullptr;       ///< whose they are, for faults behind tail calls; may be null
  std::vector<std::uint32_t> functions = {};   ///< where functions begin, sorted: what may be called
  bool loads_packet = false;              ///< by the instructions for it (ld_abs, ld_ind)
};

/// What the numbers in a program's calls stand for: kfuncs by their number in `imm`; helpers are the registry's.
struct Calls {
  const Registry* registry = nullptr;     ///< null: the engine's own
  std::vector<const Callee*> kfuncs = {};
  const Callee* helper(std::uint32_t id) const { return registry == nullptr ? find_helper(id) : registry->helper(id); }
  const Callee* kfunc(std::uint32_t number) const { return number < kfuncs.size() ? kfuncs[number] : nullptr; }
};

/// Decodes a program whose map references are already addresses. An instruction that has no meaning here (a kfunc, a helper
/// that user space has not) is an error that names it.
Result<Steps> steps_of(std::span<const isa::Insn> code, const Calls& calls = {});

inline constexpr unsigned kFrames = 8;
inline constexpr unsigned kTailCalls = 33;   ///< of a run

/// Runs from the step `start` with these in r1 to r5. A run that faulted gives nothing of use.
struct Outcome {
  std::uint64_t value = 0;                ///< r0
  std::uint64_t instructions = 0;
  std::optional<Fault> fault = {};
};
Outcome interpret(const Steps& steps, Run& run, const std::array<std::uint64_t, 5>& arguments, std::uint32_t start = 0);

}  // namespace espy::vm
