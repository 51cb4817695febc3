#include "ir/analysis/slots.hpp"

namespace espy::ir {
namespace {

/// Follows additions down to the slot's address.
SlotAddress follow(const Function& f, ValueId pointer) {
  SlotAddress found;
  // A chain of additions ends: only a block's parameter could close a circle, and that is not followed.
  while (f[pointer].is(Op::ptr_add)) {
    const std::int64_t* c = f.constant_value(f.operand(pointer, 1));
    if (c == nullptr) found.offset.reset();
    else if (found.offset) found.offset = static_cast<std::int64_t>(static_cast<std::uint64_t>(*found.offset) + static_cast<std::uint64_t>(*c));
    pointer = f.operand(pointer, 0);
  }
  const Inst& base = f[pointer];
  if (!base.is(Op::stack_addr)) return {};
  found.slot = base.extra;
  if (found.offset) *found.offset += base.imm;
  return found;
}

}  // namespace

SlotUses::SlotUses(const Function& function) : f_(function), wild_(function.slots.size(), false) {
  for (BlockId block : f_.order)
    for (ValueId id : f_[block].insts) see(f_[id]);
}

SlotAddress SlotUses::address(ValueId pointer) const {
  if (f_.type_of(pointer) != ptr(Space::stack)) return {};
  SlotAddress found = follow(f_, pointer);
  return found.slot != kNoId && wild_[found.slot] ? SlotAddress{} : found;
}

void SlotUses::escape(ValueId id) {
  if (f_.type_of(id) != ptr(Space::stack)) return;
  if (SlotAddress found = follow(f_, id); found.slot != kNoId) wild_[found.slot] = true;
}

void SlotUses::see(const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  bool memory = has(inst.op, kHasOffset) || inst.is(Op::zero);
  for (std::size_t i = 0; i < in.size(); ++i) {
    bool kept = (i == 0 && (memory || inst.is(Op::ptr_add))) || inst.is(Op::copy) || has(inst.op, kCompare) || has(inst.op, kCall);
    if (!kept) escape(in[i]);
  }
  for (const Edge& edge : f_.edges_of(inst))
    for (ValueId id : f_.arguments(edge)) escape(id);
}

}  // namespace espy::ir
