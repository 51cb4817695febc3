// The machine form: eBPF instructions over virtual registers, in blocks that end in at most one conditional jump.
//
// It is no SSA: an arithmetic instruction changes its first operand as the machine's does, and a block parameter is a
// register that every edge into the block sets. Registers 0 to 10 are the machine's own; they occur where the calling
// convention says (arguments, results, the frame pointer), and never live from one block to another.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/bpf/emit.hpp"

namespace espy::ir::bpf {

using Reg = std::uint32_t;                    ///< 0 … 10: the machine's; from kFirstVirtual: virtual
inline constexpr Reg kFrame = 10;
inline constexpr Reg kFirstVirtual = 16;
inline constexpr Reg kNoReg = 0xffffffff;
inline constexpr unsigned kAllocatable = 10;  ///< r0 … r9
inline constexpr unsigned kClobbered = 6;     ///< r0 … r5: undefined behind a call
constexpr bool is_virtual(Reg reg) { return reg >= kFirstVirtual; }

using MBlockId = std::uint32_t;
inline constexpr MBlockId kNoMBlock = 0xffffffff;

/// What an instruction does to its register fields.
enum Effect : std::uint16_t {
  kReadsDst = 1,
  kWritesDst = 2,
  kReadsSrc = 4,
  kWritesSrc = 8,
  kIsCall = 16,    ///< reads r1 … r(dst), leaves r0 … r5 undefined but for the result; `src` is the kind of call
  kIsExit = 32,    ///< reads r0
  kIsWide = 64,    ///< ld_imm64: imm is an index into MFunction::wide; `src` is the kind of immediate
  kIsCopy = 128,   ///< a 64-bit move between registers: none at all if they are the same
  kUsesR0 = 256,   ///< compare and exchange: reads r0, leaves the old value there
};

struct MInst {
  std::uint8_t opcode = 0;
  std::uint16_t effects = 0;    ///< Effect bits
  std::int16_t off = 0;
  std::int32_t imm = 0;
  Reg dst = 0, src = 0;
  Mark mark{};
  bool has(Effect e) const { return (effects & e) != 0; }
};

struct MBlock {
  std::uint32_t begin = 0, end = 0;   ///< of its instructions; with a conditional jump as the last if `taken` is set
  MBlockId taken = kNoMBlock;         ///< where the conditional jump goes
  MBlockId next = kNoMBlock;          ///< where it goes on; none: it ends in an exit
  std::uint32_t depth = 0;            ///< of loops around it
};

/// A 64-bit immediate or a callee: a number, or something to refer to.
struct Wide {
  std::int64_t value = 0;
  bool refers = false;
  ReferenceKind kind{};
  std::uint32_t id = 0, offset = 0;
};

struct MFunction {
  std::vector<MInst> insts;
  std::vector<MBlock> blocks;
  std::vector<MBlockId> order;        ///< layout; instructions of blocks stand in `insts` in this order
  std::vector<Wide> wide;
  Reg next_reg = kFirstVirtual;
  std::uint32_t stack_bytes = 0;      ///< of the function's slots; spills are put below
  bool any_result = false;            ///< nobody looks at the result: r0 must hold something at an exit, whatever it is
};

// ---- opcodes --------------------------------------------------------------------------------------------------------

enum class Alu : std::uint8_t {
  add = 0x00, sub = 0x10, mul = 0x20, div = 0x30, or_ = 0x40, and_ = 0x50, lsh = 0x60, rsh = 0x70, neg = 0x80,
  mod = 0x90, xor_ = 0xa0, mov = 0xb0, arsh = 0xc0, end = 0xd0,
};
enum class Jump : std::uint8_t {
  always = 0x00, eq = 0x10, gt = 0x20, ge = 0x30, set = 0x40, ne = 0x50, sgt = 0x60, sge = 0x70, call = 0x80, exit = 0x90,
  lt = 0xa0, le = 0xb0, slt = 0xc0, sle = 0xd0,
};
inline constexpr std::uint8_t kRegisterOperand = 0x08;
constexpr std::uint8_t class_alu(bool wide) { return wide ? 0x07 : 0x04; }
constexpr std::uint8_t class_jump(bool wide) { return wide ? 0x05 : 0x06; }
/// The size bits of a memory access of so many bytes.
constexpr std::uint8_t size_bits(unsigned bytes) { return bytes == 8 ? 0x18 : bytes == 4 ? 0x00 : bytes == 2 ? 0x08 : 0x10; }

}  // namespace espy::ir::bpf
