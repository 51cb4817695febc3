#include "ir/passes/folder.hpp"

namespace espy::ir {

ValueId Folder::binary(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId a = in[0], b = in[1];
  std::uint64_t c = 0;
  if (has(inst.op, kCommutes) && is_constant(a, c)) return become(inst, inst.op, {b, a});
  if (a == b) return same_operands(inst);
  if (is_constant(b, c)) return with_constant(inst, a, c);
  if (is_constant(a, c) && c == 0) {
    if (inst.is(Op::sub)) return become(inst, Op::neg, {b});
    if (inst.is(Op::shl) || inst.is(Op::lshr) || inst.is(Op::ashr) || inst.is(Op::udiv) || inst.is(Op::sdiv) ||
        inst.is(Op::urem) || inst.is(Op::srem))
      return a;   // 0 / x and 0 % x are 0, whatever x
  }
  return negations(inst);
}

/// x op x.
ValueId Folder::same_operands(const Inst& inst) {
  switch (inst.op) {
    case Op::sub:
    case Op::xor_:
    case Op::urem:
    case Op::srem: return constant(inst.type, 0);
    case Op::and_:
    case Op::or_: return f_.operands(inst)[0];
    default: return kNoValue;
  }
}

/// x + -y, x - -y.
ValueId Folder::negations(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId a = in[0], b = in[1];
  if (inst.is(Op::add) && def(b).is(Op::neg)) return become(inst, Op::sub, {a, f_.operands(def(b))[0]});
  if (inst.is(Op::add) && def(a).is(Op::neg)) return become(inst, Op::sub, {b, f_.operands(def(a))[0]});
  if (inst.is(Op::sub) && def(b).is(Op::neg)) return become(inst, Op::add, {a, f_.operands(def(b))[0]});
  return kNoValue;
}

/// x op c.
ValueId Folder::with_constant(Inst& inst, ValueId a, std::uint64_t c) {
  unsigned width = bits(inst);
  switch (inst.op) {
    case Op::sub: return become(inst, Op::add, {a, constant(inst.type, 0 - c)});
    case Op::add: {
      if (c == 0) return a;
      const Inst& inner = def(a);
      std::uint64_t d = 0;
      // (x + d) + c; a sum that is used elsewhere too is kept for both.
      if (inner.is(Op::add) && once(a) && is_constant(f_.operands(inner)[1], d))
        return become(inst, Op::add, {f_.operands(inner)[0], constant(inst.type, c + d)});
      return kNoValue;
    }
    case Op::mul:
    case Op::udiv:
    case Op::sdiv:
    case Op::urem:
    case Op::srem: return multiplicative(inst, a, c);
    case Op::and_:
    case Op::or_:
    case Op::xor_: return bitwise(inst, a, c);
    default: return c % width == 0 ? a : shift(inst, a, c & (width - 1));
  }
}

ValueId Folder::multiplicative(Inst& inst, ValueId a, std::uint64_t c) {
  std::uint64_t minus_one = truncate(~std::uint64_t{0}, bits(inst)), d = 0;
  bool division = inst.is(Op::udiv) || inst.is(Op::sdiv);
  if (c == 0) return inst.is(Op::urem) || inst.is(Op::srem) ? a : constant(inst.type, 0);
  if (c == 1) return inst.is(Op::mul) || division ? a : constant(inst.type, 0);
  if (c == minus_one && (inst.is(Op::mul) || inst.is(Op::sdiv))) return become(inst, Op::neg, {a});
  if (c == minus_one && inst.is(Op::srem)) return constant(inst.type, 0);
  if (inst.is(Op::udiv) && largest(a) < c) return constant(inst.type, 0);
  if (inst.is(Op::urem) && largest(a) < c) return a;
  // Neither is negative: as unsigned.
  if (unsigned width = bits(inst); possible(a) >> (width - 1) == 0 && c >> (width - 1) == 0) {
    if (inst.is(Op::sdiv)) return become(inst, Op::udiv, {a, constant(inst.type, c)});
    if (inst.is(Op::srem)) return become(inst, Op::urem, {a, constant(inst.type, c)});
  }
  const Inst& inner = def(a);
  if (inner.op == inst.op && (inst.is(Op::mul) || inst.is(Op::udiv)) && is_constant(f_.operands(inner)[1], d)) {
    std::uint64_t product = 0;
    bool wraps = __builtin_mul_overflow(c, d, &product) || product > minus_one;
    if (inst.is(Op::mul) || !wraps)
      return become(inst, inst.op, {f_.operands(inner)[0], constant(inst.type, product)});
  }
  return kNoValue;
}

ValueId Folder::bitwise(Inst& inst, ValueId a, std::uint64_t c) {
  std::uint64_t ones = truncate(~std::uint64_t{0}, bits(inst)), d = 0;
  const Inst& inner = def(a);
  bool nested = inner.op == inst.op && is_constant(f_.operands(inner)[1], d);
  ValueId below = nested ? f_.operands(inner)[0] : kNoValue;
  switch (inst.op) {
    case Op::and_:
      if (c == 0) return constant(inst.type, 0);
      if ((possible(a) & ~c) == 0) return a;   // clears nothing that could be set
      if (nested) return become(inst, Op::and_, {below, constant(inst.type, c & d)});
      if (c == 0xffffffff && inst.type == kI64) return become(inst, Op::zext, {a}, 32);
      return kNoValue;
    case Op::or_:
      if (c == 0) return a;
      if (c == ones) return constant(inst.type, ones);
      if (nested) return become(inst, Op::or_, {below, constant(inst.type, c | d)});
      return kNoValue;
    default:
      if (c == 0) return a;
      if (c == ones) return become(inst, Op::not_, {a});
      if (nested) return become(inst, Op::xor_, {below, constant(inst.type, c ^ d)});
      return kNoValue;
  }
}

/// By c, which is not 0 and less than the width.
ValueId Folder::shift(Inst& inst, ValueId a, std::uint64_t c) {
  unsigned width = bits(inst);
  if (inst.is(Op::lshr) && possible(a) >> c == 0) return constant(inst.type, 0);
  if (inst.is(Op::ashr) && possible(a) >> (width - 1) == 0) return become(inst, Op::lshr, {a, constant(inst.type, c)});
  const Inst& inner = def(a);
  std::uint64_t d = 0;
  if (inner.op != inst.op || !is_constant(f_.operands(inner)[1], d)) return kNoValue;
  std::uint64_t sum = c + (d & (width - 1));
  if (sum >= width && !inst.is(Op::ashr)) return constant(inst.type, 0);
  return become(inst, inst.op, {f_.operands(inner)[0], constant(inst.type, std::min<std::uint64_t>(sum, width - 1))});
}

}  // namespace espy::ir
