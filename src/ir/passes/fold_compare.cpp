// Comparisons keep their width and what they compare: verifiers learn from a comparison about the very value that is
// compared. So only what is decided, or compares truth values with numbers, is rewritten; and an operand that is used
// nowhere else.
#include "ir/passes/folder.hpp"

namespace espy::ir {

ValueId Folder::compare(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId a = in[0], b = in[1];
  std::uint64_t c = 0;
  if (a == b) {
    bool equal = inst.is(Op::eq) || inst.is(Op::ule) || inst.is(Op::uge) || inst.is(Op::sle) || inst.is(Op::sge);
    return constant(kI1, equal ? 1 : 0);
  }
  if (is_constant(a, c)) return become(inst, swapped(inst.op), {b, a});
  if (is_constant(b, c)) return compare_constant(inst, a, c);
  return kNoValue;
}

ValueId Folder::compare_constant(Inst& inst, ValueId a, std::uint64_t c) {
  if (f_.type_of(a).is_ptr()) {
    if (!non_null(a) || (!inst.is(Op::eq) && !inst.is(Op::ne))) return kNoValue;
    return constant(kI1, inst.is(Op::ne) ? 1 : 0);
  }
  if (ValueId known = compare_range(inst, a, c); known != kNoValue) return known;
  const Inst& inner = def(a);
  bool equality = inst.is(Op::eq) || inst.is(Op::ne);
  std::span<const ValueId> in = f_.operands(inner);
  if (equality && inner.is(Op::zext) && f_.type_of(in[0]) == kI1) return compare_truth(inst, inner, c);
  std::uint64_t d = 0;
  if (equality && once(a) && (inner.is(Op::add) || inner.is(Op::xor_)) && is_constant(in[1], d))
    return become(inst, inst.op, {in[0], constant(inner.type, inner.is(Op::add) ? c - d : c ^ d)});
  // x - y == 0 is x == y.
  if (equality && once(a) && c == 0 && (inner.is(Op::sub) || inner.is(Op::xor_))) return become(inst, inst.op, {in[0], in[1]});
  // As verifiers of all ages follow them best: a comparison with 1 as one with 0.
  ValueId zero = constant(f_.type_of(a), 0);
  if ((inst.is(Op::ult) && c == 1) || (inst.is(Op::ule) && c == 0)) return become(inst, Op::eq, {a, zero});
  if ((inst.is(Op::uge) && c == 1) || (inst.is(Op::ugt) && c == 0)) return become(inst, Op::ne, {a, zero});
  return kNoValue;
}

/// The extension of a truth value is equal to c: it is the truth value, its opposite, or never.
ValueId Folder::compare_truth(Inst& inst, const Inst& extended, std::uint64_t c) {
  if (c > 1) return constant(kI1, inst.is(Op::ne) ? 1 : 0);
  ValueId truth = f_.operands(extended)[0];
  bool same = inst.is(Op::ne) == (c == 0);
  return same ? truth : become(inst, Op::not_, {truth});
}

/// What is decided by the largest value that the operand can have.
ValueId Folder::compare_range(const Inst& inst, ValueId a, std::uint64_t c) {
  std::uint64_t most = largest(a);
  const Fact* fact = f_.fact(a);
  std::uint64_t least = fact != nullptr ? fact->umin : 0;
  unsigned width = f_.type_of(a).bits();
  auto truth = [&](bool value) { return constant(kI1, value ? 1 : 0); };
  switch (inst.op) {
    case Op::eq:
    case Op::ne:
      if (c > most || c < least || (c & ~possible(a)) != 0) return truth(inst.is(Op::ne));
      return kNoValue;
    case Op::ult:
    case Op::uge:
      if (most < c) return truth(inst.is(Op::ult));
      if (c <= least) return truth(inst.is(Op::uge));
      return kNoValue;
    case Op::ule:
    case Op::ugt:
      if (most <= c) return truth(inst.is(Op::ule));
      if (c < least) return truth(inst.is(Op::ugt));
      return kNoValue;
    default: break;
  }
  // Signed: only a value that cannot be negative, compared with 0 or less.
  if (possible(a) >> (width - 1) != 0) return kNoValue;
  std::int64_t s = sign_extend(c, width);
  bool above = s < 0 || (s == 0 && (inst.is(Op::slt) || inst.is(Op::sge)));
  if (above) return truth(inst.is(Op::sgt) || inst.is(Op::sge));
  return kNoValue;
}

ValueId Folder::select(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId condition = in[0], yes = in[1], no = in[2];
  std::uint64_t c = 0, y = 0, n = 0;
  if (yes == no) return yes;
  if (is_constant(condition, c)) return c != 0 ? yes : no;
  if (def(condition).is(Op::not_)) return become(inst, Op::select, {f_.operands(def(condition))[0], no, yes});
  if (inst.type == kI1) return select_truth(inst);
  if (inst.type.is_ptr() || !is_constant(yes, y) || !is_constant(no, n)) return kNoValue;
  if (y == 1 && n == 0) return become(inst, Op::zext, {condition}, 1);
  if (y == truncate(~std::uint64_t{0}, bits(inst)) && n == 0) return become(inst, Op::sext, {condition}, 1);
  return kNoValue;
}

/// (condition, 1, x) is condition or x; (condition, x, 0) is condition and x.
ValueId Folder::select_truth(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId condition = in[0], yes = in[1], no = in[2];
  std::uint64_t y = 0, n = 0;
  bool yes_known = is_constant(yes, y), no_known = is_constant(no, n);
  if (yes_known && no_known) return y != 0 ? condition : become(inst, Op::not_, {condition});
  if (yes_known && y != 0) return become(inst, Op::or_, {condition, no});
  if (no_known && n == 0) return become(inst, Op::and_, {condition, yes});
  return kNoValue;
}

}  // namespace espy::ir
