// The machine form: x86 instructions over virtual registers, in blocks that end in at most one conditional jump.
//
// It is no SSA: a block parameter is a register that every edge into the block sets. Instructions have three addresses; where
// the machine's have two, the encoder moves the first operand into the destination, unless the allocator made them one.
// Registers 0 to 15 are the machine's own; they occur where the calling convention or an instruction says, and never live from
// one block to another.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/x86/emit.hpp"

namespace espy::ir::x86 {

using Reg = std::uint32_t;   ///< 0 … 15: the machine's, by its numbers; from kFirstVirtual: virtual
enum MachineReg : Reg { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9, kR10, kR11, kR12, kR13, kR14, kR15 };
inline constexpr Reg kFirstVirtual = 16;
inline constexpr Reg kNoReg = 0xffffffff;
constexpr bool is_virtual(Reg reg) { return reg >= kFirstVirtual && reg != kNoReg; }

using RegMask = std::uint32_t;
constexpr RegMask mask_of(auto... reg) { return (0U | ... | (1U << reg)); }
inline constexpr RegMask kCallerSaved = mask_of(kRax, kRcx, kRdx, kRsi, kRdi, kR8, kR9, kR10, kR11);
inline constexpr Reg kArgumentRegs[] = {kRdi, kRsi, kRdx, kRcx, kR8};

using MBlockId = std::uint32_t;
inline constexpr MBlockId kNoMBlock = 0xffffffff;

/// `b` is a register, or `imm` if there is none.
enum class MOp : std::uint8_t {
  mov,         ///< dst = a; none at all if they are the same
  mov_imm,     ///< dst = imm
  mov_func,    ///< dst = the address of function imm
  add, sub, and_, or_, xor_, imul,   ///< dst = a op b
  shl, shr, sar, rol,                ///< dst = a op b; b is rcx, or any register if the processor can
  neg, not_,   ///< dst = op a
  zext, sext,  ///< dst = the low `from` bytes of a, extended to `size`
  bswap,       ///< dst = the low `size` bytes of a, reversed, extended with zeros
  lea,         ///< dst = the address
  load,        ///< dst = `from` bytes at the address, extended with zeros, or (is_signed) the sign, to `size`
  load_swapped,///< dst = `size` bytes at the address, reversed, extended with zeros
  store,       ///< the low `size` bytes of a, or imm, to the address
  cmp, test,   ///< flags of a - b, of a & b
  set,         ///< dst = condition ? 1 : 0
  cmov,        ///< dst = condition ? b : a
  sign_rdx,    ///< rdx = the sign of rax
  div, idiv,   ///< rdx:rax by a: quotient in rax, remainder in rdx; `checks` say what a may be
  mul_high,    ///< rdx:rax = rax * a
  lock_add, lock_and, lock_or, lock_xor,      ///< the address op= a
  xadd, xchg,                                 ///< dst = what was at the address; a is added, stored
  fetch_and, fetch_or, fetch_xor,             ///< rax = what was at the address; a is combined with it. `b` is scratch
  cmpxchg,                                    ///< if the address holds rax, a is stored; rax = what was there
  call,        ///< function imm
  call_address,///< the code at imm
  ret,
  leave,       ///< as ret, but to the code at rax, for which rdi is set
  count,       ///< takes imm from the number at the address; calls out_of_turns when that is below 0
  trap,
};

enum class Cond : std::uint8_t { e, ne, b, be, a, ae, l, le, g, ge };
Cond inverse(Cond cond);

/// What is not known of a divisor.
enum DivideChecks : std::uint8_t { kMayBeZero = 1, kMayBeMinusOne = 2, kWantsRemainder = 4 };

struct MInst {
  MOp op = MOp::mov;
  std::uint8_t size = 8;      ///< bytes that it works on
  std::uint8_t from = 8;      ///< bytes that it extends
  std::uint8_t scale = 0;     ///< of index: 1 << scale
  std::uint8_t checks = 0;    ///< DivideChecks
  Cond cond = Cond::e;
  bool is_signed = false;
  bool late = false;          ///< b, base and index are read when dst was already written
  bool thread = false;        ///< disp counts from the thread pointer
  Reg dst = kNoReg, a = kNoReg, b = kNoReg;
  Reg base = kNoReg, index = kNoReg;
  std::int32_t disp = 0;      ///< base rsp: from the frame's lowest byte
  std::int64_t imm = 0;
  RegMask reads = 0, writes = 0;   ///< the machine's registers, besides the operands
  Mark mark{};
};

struct MBlock {
  std::uint32_t begin = 0, end = 0;   ///< of its instructions
  MBlockId taken = kNoMBlock;         ///< where the conditional jump goes
  MBlockId next = kNoMBlock;          ///< where it goes on; none: it ends in a return or a trap
  Cond cond = Cond::e;
  std::uint32_t depth = 0;            ///< of loops around it
  MBlockId aside_of = kNoMBlock;      ///< laid out behind all others, though this block leads to it
};

struct MFunction {
  std::vector<MInst> insts;
  std::vector<MBlock> blocks;         ///< in the order of layout; their instructions stand in `insts` in this order
  Reg next_reg = kFirstVirtual;
  std::uint32_t frame_bytes = 0;      ///< of slots, and of what is spilled
  bool calls = false;
};

/// From IR: see plan.hpp and select.cpp.
Result<MFunction> select(const Module& module, const Function& function, const Options& options);

/// Takes constants that a program chose out of the code: see blind.cpp.
void blind(MFunction& function, std::uint64_t seed);

/// Gives every virtual register one of the machine's, spilling what does not fit: see allocate.cpp.
Result<void> allocate(MFunction& function);

/// Bytes: see encode.cpp.
Result<Code> encode(const std::vector<MFunction>& functions, const Options& options);

}  // namespace espy::ir::x86
