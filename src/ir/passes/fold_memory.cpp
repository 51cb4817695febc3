// Constant offsets go where they cost nothing: into the leaf that an address is, or into the memory access. Verifiers want
// it so for the context, whose pointer may not be changed before it is used.
#include "ir/passes/folder.hpp"

namespace espy::ir {
namespace {

bool fits_offset(std::int64_t offset) { return offset == static_cast<std::int16_t>(offset); }

/// Leaves that carry an offset.
bool offset_leaf(const Inst& inst) { return inst.is(Op::stack_addr) || inst.is(Op::map_value); }

}  // namespace

ValueId Folder::pointer(Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  ValueId base = in[0];
  std::uint64_t c = 0, d = 0;
  if (!is_constant(in[1], c)) return kNoValue;
  if (c == 0) return base;
  const Inst inner = def(base);
  if (offset_leaf(inner)) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(inner.imm, static_cast<std::int64_t>(c), &sum)) return kNoValue;
    return f_.leaf(inner.op, inner.type, inner.extra, sum);
  }
  if (inner.is(Op::ptr_add) && is_constant(f_.operands(inner)[1], d))
    return become(inst, Op::ptr_add, {f_.operands(inner)[0], constant(kI64, c + d)});
  return kNoValue;
}

void Folder::memory(Inst& inst) {
  if (has(inst.op, kHasOffset)) address(inst, 0);
  if (!inst.is(Op::store)) return;
  // A store looks at the low bits only.
  ValueId value = f_.operands(inst)[1];
  const Inst& inner = def(value);
  bool extends = inner.is(Op::zext) || inner.is(Op::sext);
  std::uint64_t mask = 0, kept = truncate(~std::uint64_t{0}, inst.width);
  ValueId below = kNoValue;
  if (inner.is(Op::trunc) || (extends && inner.width >= inst.width)) below = f_.operands(inner)[0];
  if (inner.is(Op::and_) && is_constant(f_.operands(inner)[1], mask) && (mask & kept) == kept) below = f_.operands(inner)[0];
  if (below == kNoValue || f_.type_of(below) == kI1) return;
  become(inst, Op::store, {f_.operands(inst)[0], below}, inst.width);
}

void Folder::address(Inst& inst, unsigned operand) {
  ValueId base = f_.operands(inst)[operand];
  const Inst inner = def(base);
  std::int64_t offset = 0;
  ValueId below = kNoValue;
  if (std::uint64_t c = 0; inner.is(Op::ptr_add) && is_constant(f_.operands(inner)[1], c)) {
    offset = static_cast<std::int64_t>(c);
    below = f_.operands(inner)[0];
  } else if (offset_leaf(inner) && inner.imm != 0) {
    offset = inner.imm;
  }
  std::int64_t sum = 0;
  if (offset == 0 || __builtin_add_overflow(inst.imm, offset, &sum) || !fits_offset(sum)) return;
  if (below == kNoValue) below = f_.leaf(inner.op, inner.type, inner.extra, 0);
  count(below, 1);
  count(base, ~0U);
  f_.operands(inst)[operand] = below;
  inst.imm = sum;
  changed_ = true;
}

}  // namespace espy::ir
