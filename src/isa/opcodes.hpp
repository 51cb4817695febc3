// The opcode table: the whole instruction set of RFC 9669 and what kernels added since, one row an instruction.
//
// An instruction is selected by its opcode byte and, where several share one, by one more field (the selector): the
// offset tells signed from unsigned division and the widths of a sign-extending move, the immediate tells the atomics and
// the widths of a byte swap, the source register tells the kinds of calls and of 64-bit immediates. Everything else that
// is known about an instruction is in its row: the decoder, the encoder, the disassembler and the assembler read it, and
// tests enumerate it.
//
// The syntax of a row is a template. Text stands for itself; a placeholder stands for an operand:
//   %d %D   destination register as r0…r10, as w0…w10      %s %S   source register
//   %o      memory offset with its sign                     %O      the offset field as a plain number
//   %i      immediate, decimal                              %u      the same; as text, also up to 2^32 - 1
//   %h      immediate, hexadecimal, unsigned                %x      second immediate (of the second slot), unsigned
//   %q      both immediates as one 64-bit number            %A %B   upper and lower half of the immediate
//   %t %T   jump distance in the offset, in the immediate   %P      distance of a subprogram in the immediate
//   %c      helper number, or its name                      %n      a name that a relocation resolves
//   %l      the word `ll`, which may be left out
// What fields an instruction uses is read off its syntax; all others are reserved and must be zero.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "isa/insn.hpp"

namespace espy::isa {

/// What an instruction does. Width and kind of operand are in its row.
enum class Operation : std::uint8_t {
  // arithmetic: dst = dst OP operand
  add, sub, mul, div, sdiv, mod, smod, or_, and_, xor_, lsh, rsh, arsh,
  neg,
  mov,              ///< dst = operand; a 32-bit move zeroes the upper half
  movsx,            ///< dst = the source's low `selected` (8, 16, 32) bits, sign-extended to `bits`
  to_le, to_be,     ///< dst truncated to the width, in that byte order
  bswap,            ///< dst truncated to the width, its bytes reversed
  addr_space_cast,  ///< dst = an arena pointer turned into the other address space
  // memory
  load, load_signed, store,
  atomic_add, atomic_or, atomic_and, atomic_xor,                  ///< no result
  fetch_add, fetch_or, fetch_and, fetch_xor, xchg,                ///< source register = old value
  cmpxchg,                                                        ///< r0 = old value, stored if it was r0
  load_acquire, store_release,
  ld_imm64,         ///< a 64-bit constant or address: two slots
  ld_abs, ld_ind,   ///< r0 = packet bytes in host order (socket filters and tc; r6 holds the skb)
  // control
  goto_, jeq, jne, jgt, jge, jlt, jle, jsgt, jsge, jslt, jsle, jset,
  may_goto,         ///< jumps once the program's loop budget is spent
  gotox,            ///< jumps to the address in a register (of an instruction array)
  call, callx, exit,
};

/// The first `-mcpu` of clang that emits an instruction.
enum class IsaVersion : std::uint8_t { v1 = 1, v2, v3, v4, later };

/// The second field that selects a row.
enum class Selector : std::uint8_t { none, src, off, imm };

/// The first Linux release that accepts an instruction; 0.0: none does.
struct Since {
  std::uint8_t major = 0, minor = 0;
};

/// Fields of an instruction that carry an operand, as bits.
enum Field : std::uint8_t { kDst = 1, kSrc = 2, kOff = 4, kImm = 8, kHighImm = 16 };

struct OpcodeRow {
  std::string_view name;          ///< unique: "sdiv64_imm", "ldx_u8", "atomic32_fetch_add"
  std::uint8_t opcode = 0;
  Selector selector = Selector::none;
  std::int32_t selected = 0;      ///< the selector field's value
  Operation operation{};
  std::uint8_t bits = 64;         ///< width of the arithmetic or comparison, or of the memory access
  IsaVersion isa = IsaVersion::v1;
  Since since = {3, 18};
  std::string_view syntax;
  /// Other spellings that the assembler takes: clang's, and relocated forms by name (with %n).
  std::array<std::string_view, 3> also = {};

  constexpr Class cls() const { return static_cast<Class>(opcode & 0x07); }
  /// Does the instruction take a register where its sibling takes an immediate?
  constexpr bool register_operand() const { return (opcode & 0x08) != 0; }
  constexpr unsigned slots() const { return opcode == kOpLdImm64 ? 2 : 1; }
  /// Fields that carry an operand (Field bits).
  std::uint8_t fields() const;
  bool is_conditional_jump() const { return operation >= Operation::jeq && operation <= Operation::jset; }
  bool is_atomic() const { return operation >= Operation::atomic_add && operation <= Operation::store_release; }
};

/// All rows, ordered by opcode, then by selected value.
std::span<const OpcodeRow> opcodes();

/// The row that an instruction's opcode and selector name; null: undefined.
const OpcodeRow* find_row(Insn insn);
/// All rows that share an opcode byte; empty: undefined.
std::span<const OpcodeRow> rows_of(std::uint8_t opcode);
/// By name: "add64_reg"; null: no such row.
const OpcodeRow* find_row(std::string_view name);

/// The kernel's word for a class: "alu64".
std::string_view to_string(Class cls);
/// "v3", "later".
std::string_view to_string(IsaVersion version);

}  // namespace espy::isa
