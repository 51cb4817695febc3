#include "isa/decode.hpp"

#include <vector>

namespace espy::isa {

namespace {

constexpr RegisterSet kArguments = registers(1, 2, 3, 4, 5);

// The row says which fields are operands; the selector's value is the row's own business; the rest is reserved.
Defect check_fields(Insn insn, const OpcodeRow& row) {
  std::uint8_t used = row.fields();
  auto reserved = [&](Field field, Selector selector, bool zero) {
    return !(used & field) && row.selector != selector && !zero;
  };
  if (!(used & kDst) && insn.dst != 0) return Defect::reserved_dst;
  if (reserved(kSrc, Selector::src, insn.src == 0)) return Defect::reserved_src;
  if (reserved(kOff, Selector::off, insn.off == 0)) return Defect::reserved_off;
  if (reserved(kImm, Selector::imm, insn.imm == 0)) return Defect::reserved_imm;
  if (((used & kDst) && insn.dst >= kRegisters) || ((used & kSrc) && insn.src >= kRegisters)) return Defect::bad_register;
  return Defect::none;
}

std::string_view selector_name(Selector selector) {
  switch (selector) {
    case Selector::none: return "";
    case Selector::src: return "source register field";
    case Selector::off: return "offset";
    case Selector::imm: return "immediate";
  }
  return "";
}

std::string describe_variant(Insn insn) {
  std::span<const OpcodeRow> rows = rows_of(insn.opcode);
  Selector selector = rows.front().selector;
  std::int32_t value = selector == Selector::src ? insn.src : selector == Selector::off ? insn.off : insn.imm;
  std::string known;
  for (const OpcodeRow& row : rows) known += fmt::format("{}{:#x} ({})", known.empty() ? "" : ", ", row.selected, row.name);
  return fmt::format("opcode {:#04x} has no form with {} {:#x}; it has {}", insn.opcode, selector_name(selector), value,
                     known);
}

}  // namespace

std::optional<std::int32_t> Instruction::jump_distance() const {
  switch (row->operation) {
    case Operation::goto_: return row->bits == 32 ? imm : off;
    case Operation::may_goto: return off;
    default: return row->is_conditional_jump() ? std::optional<std::int32_t>(off) : std::nullopt;
  }
}

bool Instruction::falls_through() const {
  return operation() != Operation::exit && operation() != Operation::goto_ && operation() != Operation::gotox;
}

RegisterSet registers_read(const Instruction& instruction) {
  const OpcodeRow& row = *instruction.row;
  RegisterSet dst = registers(instruction.dst), src = registers(instruction.src);
  RegisterSet operand = (row.fields() & kSrc) ? src : RegisterSet{0};
  switch (row.operation) {
    case Operation::mov: case Operation::movsx: case Operation::addr_space_cast: case Operation::load:
    case Operation::load_signed: case Operation::load_acquire: return operand;
    case Operation::ld_imm64: case Operation::goto_: case Operation::may_goto: return 0;
    case Operation::ld_abs: case Operation::ld_ind: return static_cast<RegisterSet>(operand | registers(6));
    case Operation::cmpxchg: return static_cast<RegisterSet>(dst | src | registers(0));
    case Operation::call: return kArguments;
    case Operation::callx: return static_cast<RegisterSet>(dst | kArguments);
    case Operation::exit: return registers(0);
    default: return static_cast<RegisterSet>(dst | operand);  // arithmetic, stores, atomics, jumps
  }
}

RegisterSet registers_written(const Instruction& instruction) {
  const OpcodeRow& row = *instruction.row;
  if (row.operation <= Operation::load_signed || row.operation == Operation::load_acquire ||
      row.operation == Operation::ld_imm64) {
    return registers(instruction.dst);
  }
  switch (row.operation) {
    case Operation::fetch_add: case Operation::fetch_or: case Operation::fetch_and: case Operation::fetch_xor:
    case Operation::xchg: return registers(instruction.src);
    case Operation::cmpxchg: return registers(0);
    case Operation::ld_abs: case Operation::ld_ind: case Operation::call: case Operation::callx:
      return static_cast<RegisterSet>(registers(0) | kArguments);
    default: return 0;
  }
}

Decoded try_decode(std::span<const Insn> code, InsnIdx at) noexcept {
  if (at >= code.size()) return {Defect::past_the_end};
  Insn insn = code[at];
  const OpcodeRow* row = find_row(insn);
  if (row == nullptr) {
    return {rows_of(insn.opcode).empty() ? Defect::undefined_opcode : Defect::undefined_variant};
  }
  if (Defect defect = check_fields(insn, *row); defect != Defect::none) return {defect};
  Decoded decoded{Defect::none, {row, insn.dst, 0, insn.off, insn.imm, 0}};
  // A selector is not an operand: it is in the row.
  decoded.instruction.src = row->selector == Selector::src ? std::uint8_t{0} : std::uint8_t{insn.src};
  if (row->selector == Selector::off) decoded.instruction.off = 0;
  if (row->selector == Selector::imm) decoded.instruction.imm = 0;
  if (row->slots() == 2) {
    if (at + 1 >= code.size()) return {Defect::truncated};
    Insn second = code[at + 1];
    if (second.opcode != 0 || second.dst != 0 || second.src != 0 || second.off != 0) return {Defect::bad_second_slot};
    if (!(row->fields() & kHighImm) && second.imm != 0) return {Defect::reserved_high_imm};
    decoded.instruction.high_imm = second.imm;
  }
  return decoded;
}

std::string describe(Defect defect, std::span<const Insn> code, InsnIdx at) {
  Insn insn = at < code.size() ? code[at] : Insn{};
  const OpcodeRow* row = find_row(insn);
  std::string_view name = row != nullptr ? row->name : "instruction";
  auto reserved = [&](std::string_view field, auto value) {
    return fmt::format("`{}` does not use its {}, which must be zero and is {}", name, field, value);
  };
  switch (defect) {
    case Defect::none: return "a valid instruction";
    case Defect::undefined_opcode: return fmt::format("undefined opcode {:#04x}", insn.opcode);
    case Defect::undefined_variant: return describe_variant(insn);
    case Defect::bad_register:
      return fmt::format("register r{} does not exist; the last is r10",
                         insn.dst >= kRegisters ? std::uint8_t{insn.dst} : std::uint8_t{insn.src});
    case Defect::reserved_dst: return reserved("destination register", std::uint8_t{insn.dst});
    case Defect::reserved_src: return reserved("source register", std::uint8_t{insn.src});
    case Defect::reserved_off: return reserved("offset", insn.off);
    case Defect::reserved_imm: return reserved("immediate", insn.imm);
    case Defect::reserved_high_imm: return reserved("second immediate", at + 1 < code.size() ? code[at + 1].imm : 0);
    case Defect::truncated: return "a 64-bit immediate load takes two slots, and the code ends after the first";
    case Defect::bad_second_slot: return "the second slot of a 64-bit immediate load may hold nothing but an immediate";
    case Defect::past_the_end: return fmt::format("there are only {} slots", code.size());
  }
  return "";
}

Result<Instruction> decode(std::span<const Insn> code, InsnIdx at) {
  Decoded decoded = try_decode(code, at);
  if (decoded.defect == Defect::none) return decoded.instruction;
  return std::unexpected(Error{.kind = ErrorKind::malformed,
                               .message = describe(decoded.defect, code, at),
                               .where = fmt::format("instruction {}", at)});
}

unsigned encode(const Instruction& instruction, std::span<Insn, 2> slots) {
  const OpcodeRow& row = *instruction.row;
  Insn& insn = slots[0];
  insn = {};
  insn.opcode = row.opcode;
  insn.dst = instruction.dst & 0xf;
  insn.src = (row.selector == Selector::src ? row.selected : instruction.src) & 0xf;
  insn.off = row.selector == Selector::off ? static_cast<std::int16_t>(row.selected) : instruction.off;
  insn.imm = row.selector == Selector::imm ? row.selected : instruction.imm;
  slots[1] = {};
  slots[1].imm = instruction.high_imm;
  return row.slots();
}

Result<void> check(std::span<const Insn> code) {
  auto bad = [](InsnIdx at, std::string message) {
    return std::unexpected(Error{.kind = ErrorKind::malformed, .message = std::move(message), .where = fmt::format("instruction {}", at)});
  };
  std::vector<bool> starts(code.size());
  InsnIdx last = 0;
  for (InsnIdx at = 0; at < code.size(); at += code[at].opcode == kOpLdImm64 ? 2 : 1) {
    TRY(decode(code, at));
    starts[at] = true;
    last = at;
  }
  if (code.empty()) return fail(ErrorKind::malformed, "no instructions");
  for (InsnIdx at = 0; at < code.size(); ++at) {
    if (!starts[at]) continue;
    Instruction instruction = try_decode(code, at).instruction;
    std::optional<std::int32_t> distance = instruction.jump_distance();
    bool subprogram = is_call(code[at], CallKind::subprogram) || is_ld_imm64(code[at], Pseudo::func);
    if (subprogram) distance = instruction.imm;
    if (!distance) continue;
    std::int64_t target = std::int64_t{at} + 1 + *distance;
    if (target < 0 || target >= static_cast<std::int64_t>(code.size())) {
      return bad(at, fmt::format("its target, {}, is outside of the code, which has {} slots", target, code.size()));
    }
    if (!starts[static_cast<std::size_t>(target)]) {
      return bad(at, fmt::format("its target, {}, is the second slot of a 64-bit immediate load", target));
    }
  }
  if (try_decode(code, last).instruction.falls_through()) return bad(last, "execution runs past the last instruction");
  return {};
}

}  // namespace espy::isa
