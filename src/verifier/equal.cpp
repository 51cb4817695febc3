// Does an old state cover a new one: is every concrete state that the new one means also one that the old one means? Then what
// was found safe for the old is safe for the new.
//
// Ids are compared up to renaming: what matters is which registers share one. `id_pairs_` holds the renaming found so far.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::size_t kMaxIdPairs = 600;

/// A slot that holds a whole number, or bytes that say nothing: both are a number to who loads them.
const Reg* number_in(const StackSlot& slot, bool uninitialised_ok) {
  static const Reg kUnknown = Reg::unknown();
  if (slot.kinds[0] == SlotKind::spill && slot.reg.is_scalar()) return &slot.reg;
  for (SlotKind kind : slot.kinds)
    if (kind != SlotKind::misc && !(uninitialised_ok && kind == SlotKind::invalid)) return nullptr;
  return &kUnknown;
}

}  // namespace

bool Checker::same_ids(std::uint32_t old, std::uint32_t now) {
  if ((old != 0) != (now != 0)) return false;
  if (old == 0) return true;
  for (const IdPair& pair : id_pairs_) {
    if (pair.old == old) return pair.now == now;
    if (pair.now == now) return false;
  }
  if (id_pairs_.size() >= kMaxIdPairs) return false;
  id_pairs_.push_back({old, now});
  return true;
}

/// A number without an id is as one with an id that nothing shares.
bool Checker::same_scalar_ids(std::uint32_t old, std::uint32_t now) {
  if (old == 0) old = ++scratch_id_;
  if (now == 0) now = ++scratch_id_;
  return same_ids(old, now);
}

bool Checker::reg_covers(const Reg& old, const Reg& now, Exactness exactness) {
  const auto exact = [&] {
    return same_kind(old, now) && old.value == now.value && same_ids(old.id, now.id) && same_ids(old.ref_id, now.ref_id);
  };
  if (exactness == Exactness::exact) return exact();
  if (old.type == RegType::not_init) return exactness == Exactness::not_exact || now.type == RegType::not_init;
  if (old.type != now.type || old.flags != now.flags) return false;
  switch (old.type) {
    case RegType::scalar:
      if (!capable_) return same_kind(old, now) && old.value == now.value && same_scalar_ids(old.id, now.id);
      if (!old.precise && exactness == Exactness::not_exact) return true;
      if ((old.id & kIdPlusConstant) != (now.id & kIdPlusConstant)) return false;
      if ((old.id & kIdPlusConstant) != 0 && old.off != now.off) return false;
      return within(old.value, now.value) && old.value.bits.contains(now.value.bits) && same_scalar_ids(old.id, now.id);
    case RegType::map_key:
    case RegType::map_value:
    case RegType::mem:
    case RegType::buffer:
    case RegType::tp_buffer:
      return same_kind(old, now) && within(old.value, now.value) && old.value.bits.contains(now.value.bits) &&
             same_ids(old.id, now.id) && same_ids(old.ref_id, now.ref_id);
    case RegType::packet:
    case RegType::packet_meta:
      // More bytes behind it than the old one had make every access safe that was.
      return old.range <= now.range && old.off == now.off && same_ids(old.id, now.id) && within(old.value, now.value) &&
             old.value.bits.contains(now.value.bits);
    case RegType::arena: return true;
    default: return exact();
  }
}

bool Checker::stack_covers(Frame& old, Frame& now, Exactness exactness) {
  const bool uninitialised_ok = leaks_allowed_ && profile_.has(Behaviour::uninitialised_stack);
  for (unsigned i = 0; i < old.slots; ++i) {
    const StackSlot& a = old.stack[i];
    if (exactness != Exactness::not_exact && (i >= now.slots || a.kinds != now.stack[i].kinds)) return false;
    if (exactness == Exactness::not_exact && (a.reg.live & kLiveRead) == 0) continue;
    const StackSlot* b = i < now.slots ? &now.stack[i] : nullptr;
    bool compared = false, matters = false;
    for (unsigned byte = 0; byte < 8 && !compared; ++byte) {
      if (a.kinds[byte] == SlotKind::invalid || (uninitialised_ok && a.kinds[byte] == SlotKind::misc)) continue;
      if (b == nullptr) return false;
      matters = true;
      const Reg* number = number_in(a, uninitialised_ok);
      const Reg* other = number != nullptr ? number_in(*b, uninitialised_ok) : nullptr;
      if (number != nullptr && other != nullptr) {
        if (!reg_covers(*number, *other, exactness)) return false;
        compared = true;
        break;
      }
      if (a.kinds[byte] == SlotKind::misc && b->kinds[byte] == SlotKind::zero) continue;
      if (a.kinds[byte] != b->kinds[byte]) return false;
    }
    if (compared || !matters || a.kinds[7] == SlotKind::invalid || (uninitialised_ok && a.kinds[7] == SlotKind::misc)) continue;
    switch (a.kinds[7]) {
      case SlotKind::spill:
        if (!reg_covers(a.reg, b->reg, exactness)) return false;
        break;
      case SlotKind::dynptr:
        if (a.reg.first != b->reg.first || a.reg.second != b->reg.second || !same_ids(a.reg.ref_id, b->reg.ref_id)) return false;
        break;
      case SlotKind::iter:
        // How many turns it made does not matter; that it goes on does.
        if (a.reg.btf != b->reg.btf || a.reg.iter_type != b->reg.iter_type || (a.reg.iter & 0xffff) != (b->reg.iter & 0xffff) ||
            !same_ids(a.reg.ref_id, b->reg.ref_id))
          return false;
        break;
      case SlotKind::irq_flag:
        if (a.reg.irq_kind != b->reg.irq_kind || !same_ids(a.reg.ref_id, b->reg.ref_id)) return false;
        break;
      default: break;
    }
  }
  return true;
}

bool Checker::frame_covers(Frame& old, Frame& now, std::uint32_t insn, Exactness exactness) {
  if (old.callback_depth > now.callback_depth) return false;
  const std::uint16_t live = code_.insns[insn].live;
  for (unsigned reg = 0; reg < isa::kFramePointer; ++reg)
    if ((live & bit(reg)) != 0 && !reg_covers(old.regs[reg], now.regs[reg], exactness)) return false;
  return stack_covers(old, now, exactness);
}

bool Checker::holds_cover(const State& old, const State& now) {
  if (old.holds.size() != now.holds.size() || old.locks != now.locks || old.preempt_disabled != now.preempt_disabled ||
      old.rcu != now.rcu || old.lock_object != now.lock_object)
    return false;
  if (!same_ids(old.active_irq, now.active_irq) || !same_ids(old.lock_id, now.lock_id)) return false;
  for (std::size_t i = 0; i < old.holds.size(); ++i) {
    const Hold& a = old.holds[i];
    const Hold& b = now.holds[i];
    if (a.kind != b.kind || a.object != b.object || !same_ids(a.id, b.id)) return false;
  }
  return true;
}

bool Checker::covers(State& old, State& now, Exactness exactness) {
  if (old.current != now.current) return false;
  if (old.speculative && !now.speculative) return false;
  if (old.may_sleep != now.may_sleep) return false;
  id_pairs_.clear();
  scratch_id_ = last_id_;
  if (!holds_cover(old, now)) return false;
  for (std::uint32_t i = 0; i <= old.current; ++i) {
    Frame& a = *old.frames[i];
    Frame& b = *now.frames[i];
    if (a.callsite != b.callsite || a.subprog != b.subprog) return false;
    const std::uint32_t insn = i == old.current ? old.insn : old.frames[i + 1]->callsite;
    if (!frame_covers(a, b, insn, exactness)) return false;
  }
  return true;
}

}  // namespace espy::verifier
