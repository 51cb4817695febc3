#include "ir/passes/folder.hpp"

namespace espy::ir {

ValueId Folder::unary(Inst& inst) {
  switch (inst.op) {
    case Op::neg:
    case Op::not_: return negation(inst);
    case Op::zext:
    case Op::sext: return extension(inst);
    case Op::trunc: return truncation(inst);
    default: return conversion(inst);
  }
}

ValueId Folder::negation(Inst& inst) {
  const Inst& inner = def(f_.operands(inst)[0]);
  std::span<const ValueId> in = f_.operands(inner);
  if (inner.op == inst.op) return in[0];
  if (inst.is(Op::neg) && inner.is(Op::sub)) return become(inst, Op::sub, {in[1], in[0]});
  if (inst.is(Op::not_) && has(inner.op, kCompare) && once(f_.operands(inst)[0])) return become(inst, inverse(inner.op), {in[0], in[1]});
  return kNoValue;
}

ValueId Folder::extension(Inst& inst) {
  ValueId a = f_.operands(inst)[0];
  const Inst& inner = def(a);
  std::uint64_t rest = ~truncate(~std::uint64_t{0}, inst.width);
  bool narrow = (possible(a) & rest) == 0;   // nothing is set above the width
  if (inst.is(Op::zext) && narrow && inst.type == inner.type) return a;
  if (inst.is(Op::sext) && possible(a) < std::uint64_t{1} << (inst.width - 1))
    return become(inst, Op::zext, {a}, inst.width);   // its sign is 0
  // Of the same type, a zero extension is a mask, which more is known about.
  if (inst.is(Op::zext) && inst.type == inner.type && inst.width < 32)
    return become(inst, Op::and_, {a, constant(inst.type, ~rest)});
  // A load that nothing else uses extends as it loads.
  if (inner.is(Op::load) && once(a) && !inner.flag(kOrdered) && inst.width == inner.width) {
    Inst load = inner;
    load.type = inst.type;
    load.flags = static_cast<std::uint8_t>((load.flags & ~kSigned) | (inst.is(Op::sext) ? kSigned : 0));
    f_[a] = load;
    if (f_.fact(a) != nullptr) f_.set_fact(a, {});   // it was about the narrower value
    possible_[index_of(a)] = compute_possible(load);
    changed_ = true;
    return a;
  }
  return extension_of_extension(inst, inner);
}

ValueId Folder::extension_of_extension(Inst& inst, const Inst& inner) {
  if (inner.is(Op::trunc)) return become(inst, inst.op, {f_.operands(inner)[0]}, inst.width);
  if (!inner.is(Op::zext) && !inner.is(Op::sext)) return kNoValue;
  ValueId below = f_.operands(inner)[0];
  if (inst.width <= inner.width && def(below).type != kI1) return become(inst, inst.op, {below}, inst.width);
  // The outer takes in more than the inner left: the inner decides. A sign above a zero extension is 0.
  if (inner.is(Op::zext) && inst.width > inner.width) return become(inst, Op::zext, {below}, inner.width);
  if (inner.is(Op::sext) && inst.is(Op::sext) && inst.width > inner.width) return become(inst, Op::sext, {below}, inner.width);
  return kNoValue;
}

ValueId Folder::truncation(Inst& inst) {
  ValueId a = f_.operands(inst)[0];
  const Inst& inner = def(a);
  if (inner.is(Op::zext) || inner.is(Op::sext)) {
    ValueId below = f_.operands(inner)[0];
    if (inner.width == 32 && def(below).type == kI32) return below;
    if (inner.width == 32) return become(inst, Op::trunc, {below});
    return become(inst, inner.op, {below}, inner.width);
  }
  if (inner.is(Op::load) && once(a) && inner.width <= 32 && !inner.flag(kOrdered)) {
    f_[a].type = kI32;
    possible_[index_of(a)] = compute_possible(f_[a]);
    changed_ = true;
    return a;
  }
  return kNoValue;
}

/// Byte swaps, and pointers to numbers and back.
ValueId Folder::conversion(Inst& inst) {
  ValueId a = f_.operands(inst)[0];
  const Inst& inner = def(a);
  if (inst.is(Op::ptr_cast) && inst.type == inner.type) return a;
  std::span<const ValueId> in = f_.operands(inner);
  if (inst.is(Op::bswap) && inner.is(Op::bswap) && inst.width == inner.width) {
    if (inst.width == inst.type.bits()) return in[0];
    return inst.width == 32 ? become(inst, Op::zext, {in[0]}, 32) : become(inst, Op::and_, {in[0], constant(inst.type, 0xffff)});
  }
  if (inst.is(Op::ptr_to_int) && inner.is(Op::int_to_ptr)) return in[0];
  if ((inst.is(Op::int_to_ptr) && inner.is(Op::ptr_to_int)) || (inst.is(Op::ptr_cast) && inner.is(Op::ptr_cast)))
    return f_.type_of(in[0]) == inst.type ? in[0] : become(inst, Op::ptr_cast, {in[0]});
  return kNoValue;
}

}  // namespace espy::ir
