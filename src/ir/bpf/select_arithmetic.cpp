// Selection of arithmetic. The machine's operations change their first operand, so `a op b` is a copy and the
// operation; the allocator gives the copy and its source one register where the source is not used again.
#include <bit>

#include "ir/bpf/select.hpp"

namespace espy::ir::bpf {
namespace {

Alu machine_op(Op op) {
  switch (op) {
    case Op::add: return Alu::add;
    case Op::sub: return Alu::sub;
    case Op::mul: return Alu::mul;
    case Op::udiv: case Op::sdiv: return Alu::div;
    case Op::urem: case Op::srem: return Alu::mod;
    case Op::and_: return Alu::and_;
    case Op::or_: return Alu::or_;
    case Op::shl: return Alu::lsh;
    case Op::lshr: return Alu::rsh;
    case Op::ashr: return Alu::arsh;
    default: return Alu::xor_;
  }
}

}  // namespace

void Selector::arithmetic(const Inst& inst, Reg dst) {
  std::span<const ValueId> operands = f_.operands(inst);
  bool wide = inst.type.kind != Kind::i32;
  switch (inst.op) {
    case Op::udiv: case Op::urem: case Op::sdiv: case Op::srem: return divide(inst, dst);
    case Op::neg:
      put(dst, operands[0]);
      push({.opcode = static_cast<std::uint8_t>(std::to_underlying(Alu::neg) | class_alu(wide)), .effects = kReadsDst | kWritesDst,
            .dst = dst});
      return;
    case Op::not_:
      put(dst, operands[0]);
      return alu(Alu::xor_, wide, dst, inst.type.kind == Kind::i1 ? 1 : -1);
    case Op::bswap:
      put(dst, operands[0]);
      return byte_order(dst, inst.width);
    case Op::zext: return zero_extend(inst, dst);
    case Op::sext: {
      if (f_.type_of(operands[0]).kind == Kind::i1) {
        put(dst, operands[0]);
        push({.opcode = static_cast<std::uint8_t>(std::to_underlying(Alu::neg) | class_alu(wide)),
              .effects = kReadsDst | kWritesDst, .dst = dst});
        return;
      }
      return sign_extend(dst, use(operands[0]), inst.width, wide);
    }
    case Op::ptr_add: return two_operands(Alu::add, true, dst, operands[0], operands[1]);
    default: return binary(inst, dst);
  }
}

void Selector::binary(const Inst& inst, Reg dst) {
  std::span<const ValueId> operands = f_.operands(inst);
  ValueId left = operands[0], right = operands[1];
  bool wide = inst.type.kind != Kind::i32;
  if (ValueId compare = demand_.shifted_truth(inst); compare != kNoValue)
    return truth_value(compare, dst, 1 << *f_.constant_value(right));
  if (has(inst.op, kCommutes)) {
    bool left_lives = demand_.needs[index_of(demand_.root(left))] > 1, right_dies = demand_.needs[index_of(demand_.root(right))] == 1;
    if (f_[left].leaf() || (left_lives && right_dies && !f_[right].leaf())) std::swap(left, right);
  }
  if (const std::int64_t* constant = f_.constant_value(right)) {
    if (inst.op == Op::and_ && wide) return mask(dst, left, static_cast<std::uint64_t>(*constant));
    if (inst.op == Op::sub && immediate(right) && *immediate(right) != INT32_MIN) {
      put(dst, left);
      return alu(Alu::add, wide, dst, -*immediate(right));
    }
    if (inst.op == Op::shl || inst.op == Op::lshr || inst.op == Op::ashr) {
      put(dst, left);
      return alu(machine_op(inst.op), wide, dst, static_cast<std::int32_t>(*constant & (wide ? 63 : 31)));
    }
  }
  two_operands(machine_op(inst.op), wide, dst, left, right);
}

void Selector::two_operands(Alu op, bool wide, Reg dst, ValueId left, ValueId right) {
  if (std::optional<std::int32_t> imm = immediate(right)) {
    put(dst, left);
    return alu(op, wide, dst, *imm);
  }
  Reg second = use(right);
  put(dst, left);
  alu(op, wide, dst, demand_.root(left) == demand_.root(right) ? dst : second);
}

/// dst = value & mask, 64 bits.
void Selector::mask(Reg dst, ValueId value, std::uint64_t mask) {
  if (mask == 0xffffffff) return alu(Alu::mov, false, dst, use(value));
  auto imm = static_cast<std::int64_t>(mask);
  if (mask <= 0x7fffffff || imm == static_cast<std::int32_t>(imm)) {
    put(dst, value);
    return alu(Alu::and_, true, dst, static_cast<std::int32_t>(imm));
  }
  if (mask <= 0xffffffff) {   // the 32-bit operation clears the upper half by itself
    put(dst, value);
    return alu(Alu::and_, false, dst, static_cast<std::int32_t>(imm));
  }
  if (std::has_single_bit(mask + 1)) {   // low bits: two shifts are shorter than a 64-bit constant
    put(dst, value);
    alu(Alu::lsh, true, dst, std::countl_zero(mask));
    return alu(Alu::rsh, true, dst, std::countl_zero(mask));
  }
  Reg constant = new_reg();
  make_constant(constant, imm, true);
  put(dst, value);
  alu(Alu::and_, true, dst, constant);
}

void Selector::zero_extend(const Inst& inst, Reg dst) {
  ValueId value = f_.operands(inst)[0];
  if (inst.width == 32) return alu(Alu::mov, false, dst, use(value));
  put(dst, value);
  alu(Alu::and_, inst.type.kind != Kind::i32, dst, (1 << inst.width) - 1);
}

/// dst = the low `from` bits of src, sign-extended; without the upper half unless `wide`.
void Selector::sign_extend(Reg dst, Reg src, unsigned from, bool wide) {
  unsigned to = wide ? 64 : 32;
  if (from == to) return alu(Alu::mov, wide, dst, src);
  if (options_.isa >= 4) {
    push({.opcode = static_cast<std::uint8_t>(std::to_underlying(Alu::mov) | class_alu(wide) | kRegisterOperand),
          .effects = kWritesDst | kReadsSrc, .off = static_cast<std::int16_t>(from), .dst = dst, .src = src});
    return;
  }
  copy(dst, src);
  auto by = static_cast<std::int32_t>(to - from);
  alu(Alu::lsh, wide, dst, by);
  alu(Alu::arsh, wide, dst, by);
}

void Selector::divide(const Inst& inst, Reg dst) {
  std::span<const ValueId> operands = f_.operands(inst);
  bool wide = inst.type.kind != Kind::i32, rest = inst.op == Op::urem || inst.op == Op::srem;
  const std::int64_t* constant = f_.constant_value(operands[1]);
  if (constant != nullptr && *constant == 0) {   // verifiers refuse it, though it has a meaning
    if (rest) return put(dst, operands[0]);
    return make_constant(dst, 0, true);
  }
  if (inst.op == Op::udiv || inst.op == Op::urem) return two_operands(machine_op(inst.op), wide, dst, operands[0], operands[1]);
  if (options_.isa < 4) return signed_divide(inst, dst);
  std::size_t first = out_.insts.size();
  two_operands(machine_op(inst.op), wide, dst, operands[0], operands[1]);
  if (out_.insts.size() > first) out_.insts.back().off = 1;
}

/// Without signed division: with s = -1 for a negative number and else 0, |x| = (x ^ s) - s, and the same again gives
/// the unsigned result its sign: that of both operands for a quotient, of the first for a remainder.
void Selector::signed_divide(const Inst& inst, Reg dst) {
  std::span<const ValueId> operands = f_.operands(inst);
  bool wide = inst.type.kind != Kind::i32, rest = inst.op == Op::srem;
  std::int32_t top = wide ? 63 : 31;
  const std::int64_t* constant = f_.constant_value(operands[1]);
  auto sign_of = [&](Reg value) {
    Reg sign = new_reg();
    copy(sign, value);
    alu(Alu::arsh, wide, sign, top);
    return sign;
  };
  auto negate_if = [&](Reg value, Reg sign) {
    alu(Alu::xor_, wide, value, sign);
    alu(Alu::sub, wide, value, sign);
  };
  Reg left = use(operands[0]), sign = sign_of(left);
  Reg divisor = kNoReg;
  std::optional<std::int32_t> by;
  if (constant != nullptr && *constant == static_cast<std::int32_t>(*constant) && *constant != INT32_MIN)
    by = static_cast<std::int32_t>(*constant < 0 ? -*constant : *constant);
  Reg divisor_sign = kNoReg;
  if (!by) {
    Reg given = use(operands[1]);
    divisor_sign = sign_of(given);
    divisor = new_reg();
    copy(divisor, given);
    negate_if(divisor, divisor_sign);
  }
  copy(dst, left);
  negate_if(dst, sign);
  Alu op = machine_op(inst.op);
  if (by)
    alu(op, wide, dst, *by);
  else
    alu(op, wide, dst, divisor);
  if (!rest && by && *constant < 0) alu(Alu::xor_, wide, sign, -1);
  if (!rest && !by) alu(Alu::xor_, wide, sign, divisor_sign);
  negate_if(dst, sign);
}

}  // namespace espy::ir::bpf
