#include <algorithm>

#include "facts/tables.hpp"
#include "vm/interp/interpreter.hpp"

namespace espy::vm {
namespace {

using isa::Operation;

constexpr std::uint32_t kTailCall = 12;   // the helper that is no call: the interpreter goes on in another program

// What the instruction needs beyond its operands: a helper, a subprogram, a jump's target.
Result<void> complete(Step& step, const isa::Instruction& instruction, std::uint32_t at, Steps& program, const Calls& calls) {
  if (auto distance = instruction.jump_distance()) step.target = static_cast<std::uint32_t>(static_cast<std::int64_t>(at) + 1 + *distance);
  const auto kind = static_cast<isa::CallKind>(instruction.row->selected);
  if (instruction.operation() == Operation::call && kind == isa::CallKind::helper) {
    const auto id = static_cast<std::uint32_t>(instruction.imm);
    step.tail_call = id == kTailCall;
    if (step.tail_call) return {};
    step.callee = calls.helper(id);
    if (step.callee == nullptr) {
      const facts::HelperRow* row = facts::find_helper(id);
      const std::string_view why = why_no_helper(id);
      return fail(ErrorKind::unsupported, "instruction {}: the user engine has no helper {}{}{}", at, row == nullptr ? std::to_string(id) : std::string(row->name),
                  why.empty() ? "" : ": ", why);
    }
  } else if (instruction.operation() == Operation::call && kind == isa::CallKind::subprogram) {
    step.target = static_cast<std::uint32_t>(static_cast<std::int64_t>(at) + 1 + instruction.imm);
    program.functions.push_back(step.target);
  } else if (instruction.operation() == Operation::call) {
    step.callee = calls.kfunc(static_cast<std::uint32_t>(instruction.imm));
    if (step.callee == nullptr) return fail(ErrorKind::unsupported, "instruction {}: a kfunc that nothing names", at);
  } else if (instruction.operation() == Operation::ld_abs || instruction.operation() == Operation::ld_ind) {
    program.loads_packet = true;
  } else if (instruction.operation() == Operation::gotox) {
    return fail(ErrorKind::unsupported, "instruction {}: the user engine has no indirect jumps", at);
  }
  return {};
}

// A 64-bit immediate that stands for something: only functions are left when a program comes here.
Result<void> complete_address(Step& step, const isa::Instruction& instruction, std::uint32_t at, Steps& program) {
  switch (static_cast<isa::Pseudo>(instruction.row->selected)) {
    case isa::Pseudo::none: return {};
    case isa::Pseudo::func:
      step.immediate = static_cast<std::int64_t>(at) + 1 + instruction.imm;
      program.functions.push_back(static_cast<std::uint32_t>(step.immediate));
      return {};
    default: return fail(ErrorKind::unsupported, "instruction {}: the user engine cannot load {}", at, instruction.row->name);
  }
}

}  // namespace

Result<Steps> steps_of(std::span<const isa::Insn> code, const Calls& calls) {
  TRY(isa::check(code));
  Steps program{.steps = std::vector<Step>(code.size()), .program = nullptr, .functions = {}};
  for (std::uint32_t at = 0; at < code.size();) {
    const isa::Instruction instruction = TRY(isa::decode(code, at));
    const isa::OpcodeRow& row = *instruction.row;
    Step& step = program.steps[at];
    const bool takes_immediate = (row.cls() == isa::Class::alu || row.cls() == isa::Class::alu64 || row.cls() == isa::Class::jmp ||
                                  row.cls() == isa::Class::jmp32 || row.cls() == isa::Class::st) &&
                                 !(row.register_operand() && row.cls() != isa::Class::st);
    step = {.operation = row.operation, .dst = instruction.dst, .src = takes_immediate ? std::uint8_t{11} : instruction.src, .bits = row.bits,
            .selected = static_cast<std::uint8_t>(row.selected), .offset = instruction.off, .immediate = instruction.imm64()};
    TRY(complete(step, instruction, at, program, calls));
    if (row.operation == Operation::ld_imm64) TRY(complete_address(step, instruction, at, program));
    at += row.slots();
  }
  std::ranges::sort(program.functions);
  return program;
}

}  // namespace espy::vm
