#include "ir/x86/plan.hpp"

namespace espy::ir::x86 {
namespace {

bool has_effect(const Inst& inst) {
  return inst.terminator() || has(inst.op, kWrites) || (has(inst.op, kCall) && !inst.flag(kRemovable)) || (inst.is(Op::load) && inst.flag(kOrdered));
}

bool is_cast(const Inst& inst) { return inst.is(Op::ptr_to_int) || inst.is(Op::int_to_ptr) || inst.is(Op::ptr_cast); }
bool is_sum(const Inst& inst) { return inst.is(Op::ptr_add) || (inst.is(Op::add) && inst.type == kI64); }

}  // namespace

// Users come before what they use: blocks and instructions from the last. Only the arguments of edges that lead back are met
// before it is known whether their parameter is wanted; they count as wanted.
Plan::Plan(const Function& function, const Features& features) : f_(function), features_(features) {
  for (auto* list : {&uses_, &as_address_, &as_condition_, &as_test_, &as_index_, &as_any_}) list->assign(f_.insts.size(), 0);
  user_.assign(f_.insts.size(), kNoValue);
  skipped_.assign(f_.insts.size(), false);
  for (std::size_t i = f_.order.size(); i-- > 0;) {
    const std::vector<ValueId>& insts = f_[f_.order[i]].insts;
    for (std::size_t j = insts.size(); j-- > 0;) visit(insts[j]);
  }
}

void Plan::count(ValueId operand, std::vector<std::uint32_t>& kind, ValueId user) {
  ++uses_[index_of(operand)];
  ++kind[index_of(operand)];
  user_[index_of(operand)] = user;
}

bool Plan::alias(const Inst& inst) const {
  if (is_cast(inst) || inst.is(Op::trunc)) return true;
  if (!inst.is(Op::zext)) return false;
  const Inst& inner = f_[f_.operands(inst)[0]];
  return (inst.width == 1 && inner.type == kI1) || (inst.width == 32 && inner.type == kI32 && !inner.leaf() && zero_above(f_.operands(inst)[0]));
}

bool Plan::zero_above(ValueId id) const {
  const Inst& inst = f_[id];
  switch (inst.op) {
    case Op::param: case Op::trunc: case Op::call: case Op::call_helper: case Op::call_kfunc: case Op::atomic_cmpxchg: return false;
    default: return inst.type == kI32;
  }
}

bool Plan::sinks(ValueId id) const {
  const Inst& inst = f_[id];
  const std::uint32_t all = uses_[index_of(id)];
  if (inst.compare()) return as_condition_[index_of(id)] == all;
  if (is_sum(inst)) return as_address_[index_of(id)] == all;
  if (inst.is(Op::shl)) {
    const std::int64_t* by = f_.constant_value(f_.operands(inst)[1]);
    return inst.type == kI64 && as_index_[index_of(id)] == all && by != nullptr && *by >= 1 && *by <= 3;
  }
  return inst.is(Op::and_) && all == 1 && as_test_[index_of(id)] == 1 && inst.type != kI1;
}

void Plan::visit(ValueId id) {
  const Inst& inst = f_[id];
  std::span<const ValueId> in = f_.operands(inst);
  if (!has_effect(inst) && uses_[index_of(id)] == 0) {
    skipped_[index_of(id)] = true;
    return;
  }
  for (const Edge& edge : f_.edges_of(inst))
    for (ValueId argument : f_.arguments(edge)) count(argument, as_any_, id);
  const bool sunk = sinks(id);
  skipped_[index_of(id)] = sunk || alias(inst);
  const bool address_cast = is_cast(inst) && as_address_[index_of(id)] == uses_[index_of(id)];
  const bool tests = inst.compare() && sunk && (inst.is(Op::eq) || inst.is(Op::ne)) && f_.constant_value(in[1]) != nullptr && *f_.constant_value(in[1]) == 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i == 0 && ((has(inst.op, kHasOffset) && !inst.is(Op::copy)) || address_cast)) count(in[i], as_address_, id);
    else if (i == 0 && (inst.is(Op::branch) || inst.is(Op::select))) count(in[i], as_condition_, id);
    else if (i == 0 && tests) count(in[i], as_test_, id);
    else if (is_sum(inst)) count(in[i], as_index_, id);
    else count(in[i], as_any_, id);
  }
}

ValueId Plan::root(ValueId id) const {
  while (!f_[id].leaf() && !f_[id].is(Op::param) && alias(f_[id])) id = f_.operand(id, 0);
  if (f_[id].is(Op::bswap) && swapped_by(f_.operand(id, 0)) == id) return f_.operand(id, 0);
  return id;
}

ValueId Plan::swapped_by(ValueId load) const {
  const Inst& inst = f_[load];
  if (!features_.movbe || !inst.is(Op::load) || inst.width < 16 || inst.flag(kSigned) || uses_[index_of(load)] != 1) return kNoValue;
  const Inst& user = f_[user_[index_of(load)]];
  return user.is(Op::bswap) && user.width == inst.width ? user_[index_of(load)] : kNoValue;
}

bool Plan::sunk_address(ValueId id) const { return is_sum(f_[id]) && skipped_[index_of(id)]; }

}  // namespace espy::ir::x86
