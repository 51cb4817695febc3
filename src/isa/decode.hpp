// Decoding: from a slot (or two) to an instruction whose row, operands and defects are known; and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "isa/insn.hpp"
#include "isa/opcodes.hpp"

namespace espy::isa {

/// A decoded instruction: what later floors (verifier, interpreter, compiler) walk over. A plain value.
struct Instruction {
  const OpcodeRow* row = nullptr;  ///< never null in a decoded instruction; rows live as long as the program
  std::uint8_t dst = 0, src = 0;   ///< 0 where the row has no such operand
  std::int16_t off = 0;
  std::int32_t imm = 0;
  std::int32_t high_imm = 0;       ///< the second slot's immediate of a 64-bit immediate load

  Operation operation() const { return row->operation; }
  unsigned slots() const { return row->slots(); }
  /// The immediate as the machine uses it: both halves of a ld_imm64, else sign-extended.
  std::int64_t imm64() const {
    if (slots() == 1) return imm;
    return static_cast<std::int64_t>((std::uint64_t{static_cast<std::uint32_t>(high_imm)} << 32) |
                                     static_cast<std::uint32_t>(imm));
  }
  /// How far a jump (goto, conditional, may_goto) goes, in slots from the instruction behind it; nullopt: no jump.
  std::optional<std::int32_t> jump_distance() const;
  /// Can execution go on with the instruction behind it?
  bool falls_through() const;

  friend bool operator==(const Instruction&, const Instruction&) = default;
};

/// A set of registers: bit i is ri.
using RegisterSet = std::uint16_t;
constexpr RegisterSet registers(auto... number) { return static_cast<RegisterSet>((0U | ... | (1U << number))); }

/// Registers whose value an instruction depends on. A call of anything is taken to read r1–r5: the prototype says how many.
RegisterSet registers_read(const Instruction& instruction);
/// Registers that hold another value, or none, behind it: calls and packet loads leave r1–r5 undefined.
RegisterSet registers_written(const Instruction& instruction);

/// Why a slot is no instruction.
enum class Defect : std::uint8_t {
  none,
  undefined_opcode,
  undefined_variant,   ///< the opcode is known, its selector names nothing
  bad_register,        ///< r11 … r15
  reserved_dst, reserved_src, reserved_off, reserved_imm, reserved_high_imm,  ///< an unused field is not zero
  truncated,           ///< a 64-bit immediate load without its second slot
  bad_second_slot,     ///< whose second slot has more than an immediate
  past_the_end,        ///< no slot there
};

/// Looks at the instruction at `at` without allocating: its defect, or none and the instruction.
struct Decoded {
  Defect defect = Defect::none;
  Instruction instruction = {};
};
Decoded try_decode(std::span<const Insn> code, InsnIdx at) noexcept;

/// The same with a defect as an error that says which field of which instruction, and what was expected.
Result<Instruction> decode(std::span<const Insn> code, InsnIdx at);

/// What a defect of the slot at `at` means, as a sentence.
std::string describe(Defect defect, std::span<const Insn> code, InsnIdx at);

/// The slots of an instruction; returns how many (1 or 2) of `slots` hold it.
unsigned encode(const Instruction& instruction, std::span<Insn, 2> slots);

/// Checks a whole function or program: every slot decodes, jumps and calls of subprograms land on an instruction inside,
/// and execution cannot run past the end.
Result<void> check(std::span<const Insn> code);

/// Bit 63…0 of a slot as it stands in little-endian memory: what `--raw` and `.slot` show.
constexpr std::uint64_t to_word(Insn insn) {
  return insn.opcode | (std::uint64_t{insn.dst} << 8) | (std::uint64_t{insn.src} << 12) |
         (std::uint64_t{static_cast<std::uint16_t>(insn.off)} << 16) |
         (std::uint64_t{static_cast<std::uint32_t>(insn.imm)} << 32);
}
constexpr Insn from_word(std::uint64_t word) {
  Insn insn;
  insn.opcode = static_cast<std::uint8_t>(word);
  insn.dst = static_cast<std::uint8_t>((word >> 8) & 0xf);
  insn.src = static_cast<std::uint8_t>((word >> 12) & 0xf);
  insn.off = static_cast<std::int16_t>(word >> 16);
  insn.imm = static_cast<std::int32_t>(word >> 32);
  return insn;
}

}  // namespace espy::isa
