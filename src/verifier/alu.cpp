// Arithmetic and moves. Numbers become the numbers that scalar_arithmetic.cpp computes; pointers move (pointer_arithmetic.cpp).
#include <bit>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using isa::Operation;

Arithmetic arithmetic_of(Operation op) {
  switch (op) {
    case Operation::add: return Arithmetic::add;
    case Operation::sub: return Arithmetic::sub;
    case Operation::mul: return Arithmetic::mul;
    case Operation::and_: return Arithmetic::and_;
    case Operation::or_: return Arithmetic::or_;
    case Operation::xor_: return Arithmetic::xor_;
    case Operation::lsh: return Arithmetic::lsh;
    case Operation::rsh: return Arithmetic::rsh;
    case Operation::arsh: return Arithmetic::arsh;
    case Operation::neg: return Arithmetic::neg;
    default: return Arithmetic::other;
  }
}

std::string_view symbol_of(Operation op) {
  switch (op) {
    case Operation::add: return "+=";
    case Operation::sub: return "-=";
    case Operation::mul: return "*=";
    case Operation::div: return "/=";
    case Operation::sdiv: return "s/=";
    case Operation::mod: return "%=";
    case Operation::smod: return "s%=";
    case Operation::and_: return "&=";
    case Operation::or_: return "|=";
    case Operation::xor_: return "^=";
    case Operation::lsh: return "<<=";
    case Operation::rsh: return ">>=";
    case Operation::arsh: return "s>>=";
    default: return "=";
  }
}

}  // namespace

bool Checker::step_alu(const Insn& insn) {
  switch (insn.op) {
    case Operation::mov:
    case Operation::movsx:
    case Operation::addr_space_cast: return move(insn);
    case Operation::neg:
    case Operation::to_le:
    case Operation::to_be:
    case Operation::bswap: return byte_swap(insn);
    default: return arithmetic(insn);
  }
}

bool Checker::byte_swap(const Insn& insn) {
  if (!read_reg(insn.dst)) return false;
  Reg& dst = regs()[insn.dst];
  if (is_pointer_value(dst)) return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} pointer arithmetic prohibited", insn.dst);
  if (!write_reg(insn.dst)) return false;
  if (insn.op == Operation::neg && how_.negation && dst.is_scalar()) {
    Scalar value = dst.value;
    apply(Arithmetic::neg, value, value, insn.bits == 32, how_);
    repair(value);
    const bool precise = dst.precise;
    dst = Reg::scalar(value);
    dst.precise = precise;
  } else if (insn.op != Operation::neg && dst.is_scalar() && profile_.has(Behaviour::byte_swap_bounds)) {
    const unsigned bytes = insn.bits / 8U;
    const bool swaps = insn.op != Operation::to_le;   // programs run little-endian here
    const auto turned = [&](std::uint64_t word) { return swaps ? std::byteswap(word) >> (64 - 8 * bytes) : word; };
    Scalar value;
    value.bits = dst.value.bits.low_bytes(bytes);
    value.bits = Tnum{turned(value.bits.value), turned(value.bits.mask)};
    sync(value, how_);
    const bool precise = dst.precise;
    dst = Reg::scalar(value);
    dst.precise = precise;
  } else {
    set_unknown(dst);
  }
  return true;
}

bool Checker::move(const Insn& insn) {
  if (!insn.reg_operand) {
    if (!write_reg(insn.dst)) return false;
    set_constant(regs()[insn.dst], insn.bits == 64 ? static_cast<std::uint64_t>(std::int64_t{insn.imm}) : static_cast<std::uint32_t>(insn.imm));
    return true;
  }
  if (!read_reg(insn.src) || !write_reg(insn.dst)) return false;
  Reg& src = regs()[insn.src];
  Reg& dst = regs()[insn.dst];
  if (insn.op == Operation::addr_space_cast) {
    if (!has_arena_) return reject(Rule::arena, "addr_space_cast insn can only be used in a program that has an associated arena");
    set_unknown(dst);
    if (insn.imm == 1) dst.type = RegType::arena;
    return true;
  }
  if (insn.bits == 64 && insn.op == Operation::mov) {
    give_scalar_id(src);
    dst = src;
    return true;
  }
  const bool extends = insn.op == Operation::movsx;
  if (is_pointer_value(src)) {
    if (insn.bits == 64) return reject_reg(Rule::pointer_arithmetic, insn.src, "R{} sign-extension part of pointer", insn.src);
    return reject_reg(Rule::pointer_arithmetic, insn.src, "R{} partial copy of pointer", insn.src);
  }
  if (!src.is_scalar()) {
    set_unknown(dst);
    if (insn.bits == 32) zero_extend32(dst.value, how_);
    return true;
  }
  // The copy is the same number if nothing is cut off.
  const unsigned kept_bits = extends ? insn.selected - 1U : 32U;
  const bool same = src.value.fits_unsigned(kept_bits);
  if (same) give_scalar_id(src);
  dst = src;
  if (!same) {
    dst.id = 0;
    dst.off = 0;
  }
  if (extends && insn.bits == 64) sign_extend(dst.value, insn.selected / 8U, how_);
  else if (extends) sign_extend32(dst.value, insn.selected / 8U, how_);
  else zero_extend32(dst.value, how_);
  return true;
}

bool Checker::arithmetic(const Insn& insn) {
  if (insn.reg_operand && !read_reg(insn.src)) return false;
  if (!read_reg(insn.dst)) return false;
  const bool divides = insn.op == Operation::div || insn.op == Operation::mod || insn.op == Operation::sdiv || insn.op == Operation::smod;
  if (divides && !insn.reg_operand && insn.imm == 0) return reject(Rule::bad_instruction, "div by zero");
  const bool shifts = insn.op == Operation::lsh || insn.op == Operation::rsh || insn.op == Operation::arsh;
  if (shifts && !insn.reg_operand && (insn.imm < 0 || insn.imm >= insn.bits)) return reject(Rule::bad_instruction, "invalid shift {}", insn.imm);
  if (!write_reg(insn.dst)) return false;

  Reg& dst = regs()[insn.dst];
  if (dst.type == RegType::arena) return true;
  if (insn.reg_operand) {
    Reg& src = regs()[insn.src];
    if (src.is_pointer() && dst.is_pointer()) {
      if (insn.op == Operation::sub && leaks_allowed_) {
        set_unknown(dst);
        return true;
      }
      return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} pointer {} pointer prohibited", insn.dst, symbol_of(insn.op));
    }
    if (src.is_pointer()) {
      if (!need_precise(insn.dst)) return false;
      return pointer_arithmetic(insn, Reg(src), Reg(dst));
    }
    if (dst.is_pointer()) {
      if (!need_precise(insn.src)) return false;
      return pointer_arithmetic(insn, Reg(dst), src);
    }
    if (dst.precise && !need_precise(insn.src)) return false;
    return scalar_arithmetic(insn, dst, Reg(src));
  }
  const Reg number = Reg::constant(static_cast<std::uint64_t>(std::int64_t{insn.imm}));
  if (dst.is_pointer()) return pointer_arithmetic(insn, Reg(dst), number);
  return scalar_arithmetic(insn, dst, number);
}

bool Checker::scalar_arithmetic(const Insn& insn, Reg& dst, const Reg& src) {
  const bool followed = src.value.is_const() || insn.op == Operation::add || insn.op == Operation::sub || insn.op == Operation::and_;
  if (!followed && !profile_.has(Behaviour::unknown_operands)) {
    set_unknown(dst);
    return true;
  }
  apply(arithmetic_of(insn.op), dst.value, src.value, insn.bits == 32, how_);
  repair(dst.value);
  // `copy + constant` stays in relation with what it is a copy of; anything else is a number of its own.
  const bool linkable = profile_.has(Behaviour::linked_constants) && capable_ && insn.op == Operation::add && insn.bits == 64 &&
                        dst.id != 0 && src.value.is_const();
  if (linkable && (dst.id & kIdPlusConstant) == 0 && src.value.bits.value <= 0x7fffffff) {
    dst.id |= kIdPlusConstant;
    dst.off = static_cast<std::int32_t>(src.value.bits.value);
  } else {
    dst.id = 0;
    dst.off = 0;
  }
  return true;
}

}  // namespace espy::verifier
