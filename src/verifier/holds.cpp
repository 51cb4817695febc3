// What a program holds and must let go: references to kernel objects, spin locks, disabled interrupts. Also what must not
// happen meanwhile.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {

std::uint32_t Checker::hold(HoldKind kind, std::uint32_t id, std::uint64_t object) {
  if (id == 0) id = new_id();
  state_->holds.push_back({kind, id, insn_, object});
  return id;
}

bool Checker::holds_reference(std::uint32_t id) const {
  for (const Hold& hold : state_->holds)
    if (hold.kind == HoldKind::pointer && hold.id == id) return true;
  return false;
}

/// Lets a reference go: everything that came with it is gone. False (without a failure): it is not held.
bool Checker::let_go(std::uint32_t id) {
  if (!holds_reference(id)) return false;
  std::erase_if(state_->holds, [&](const Hold& hold) { return hold.kind == HoldKind::pointer && hold.id == id; });
  const auto forget = [&](Reg& reg) {
    if (reg.ref_id != id) return false;
    invalidate(reg);
    return true;
  };
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    for (Reg& reg : frame.regs) forget(reg);
    for (unsigned slot = 0; slot < frame.slots; ++slot) {
      StackSlot& entry = frame.stack[slot];
      if (entry.is_spill() && forget(entry.reg) && !leaks_allowed_) entry.kinds.fill(SlotKind::invalid);
    }
  }
  return true;
}

bool Checker::in_rcu() const { return state_->rcu || state_->locks != 0 || !in_sleepable(); }

/// At a program's end (or where it may end): nothing may be held.
bool Checker::check_holds(bool exception, std::string_view where) {
  const State& state = *state_;
  const bool outermost = exception || state.current == 0 || where == "tail_call" || where == "BPF_LD_[ABS|IND]";
  if (outermost && state.locks != 0) return reject(Rule::lock_held, "{} cannot be used inside bpf_spin_lock-ed region", where);
  if (exception || state.current == 0 || where != "BPF_EXIT instruction in main prog") {
    for (const Hold& hold : state.holds) {
      if (hold.kind != HoldKind::pointer) continue;
      failure_.offset = hold.insn;
      return reject(Rule::leaked_reference, "Unreleased reference id={} alloc_insn={}", hold.id, hold.insn);
    }
  }
  if (!outermost) return true;
  if (state.active_irq != 0) return reject(Rule::irq, "{} cannot be used inside bpf_local_irq_save-ed region", where);
  if (state.rcu) return reject(Rule::rcu, "{} cannot be used inside bpf_rcu_read_lock-ed region", where);
  if (state.preempt_disabled != 0) return reject(Rule::lock_held, "{} cannot be used inside bpf_preempt_disable-ed region", where);
  return true;
}

/// bpf_spin_lock and bpf_spin_unlock (and the resilient kind): the lock must be the one of the element that the pointer means.
bool Checker::lock_spin(unsigned number, bool lock, bool res, bool irq) {
  Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const char* name = res ? "bpf_res_spin" : "bpf_spin";
  if (!reg.value.is_const())
    return reject_reg(Rule::lock_order, at, "R{} doesn't have constant offset. {}_lock has to be at the constant offset", number, name);
  const Record* record = nullptr;
  std::uint64_t object = 0;
  if (reg.type == RegType::map_value) {
    const MapView& map = maps_[reg.map];
    if (map.spec->value_type == btf::kVoid || types_.own() == nullptr)
      return reject_reg(Rule::missing_btf, at, "map '{}' has to have BTF in order to use {}_lock", map.spec->name, name);
    record = map.record;
    object = std::uint64_t{1} << 32 | reg.map;
  } else {
    record = &types_.record(btf::TypeId{reg.type_id});
    object = std::uint64_t{2} << 32 | reg.type_id;
  }
  const SpecialField* field = record->find(res ? FieldKind::res_spin_lock : FieldKind::spin_lock);
  if (field == nullptr)
    return reject_reg(Rule::lock_order, at, "{} '{}' has no valid {}_lock", reg.type == RegType::map_value ? "map" : "local",
                      reg.type == RegType::map_value ? maps_[reg.map].spec->name : "kptr", name);
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  if (off != field->offset)
    return reject_reg(Rule::lock_order, at, "off {} doesn't point to 'struct {}_lock' that is at {}", off, name, field->offset);
  const HoldKind kind = !res ? HoldKind::lock : irq ? HoldKind::res_lock_irq : HoldKind::res_lock;
  State& state = *state_;
  const std::uint32_t id = reg.id;
  if (lock) {
    if (!res && state.locks != 0) return reject(Rule::lock_order, "Locking two bpf_spin_locks are not allowed");
    if (res)
      for (const Hold& held : state.holds)
        if (held.object == object && held.id == id) return reject(Rule::lock_order, "Acquiring the same lock again, AA deadlock detected");
    state.holds.push_back({kind, id, insn_, object});
    ++state.locks;
    state.lock_id = id;
    state.lock_object = object;
    return true;
  }
  if (state.locks == 0) return reject(Rule::lock_order, "{}_unlock without taking a lock", name);
  auto found = std::ranges::find_if(state.holds, [&](const Hold& held) { return held.kind == kind && held.object == object && held.id == id; });
  if (found == state.holds.end()) return reject(Rule::lock_order, "{}_unlock of different lock", name);
  if (state.lock_id != id || state.lock_object != object) return reject(Rule::lock_order, "{}_unlock cannot be out of order", name);
  state.holds.erase(found);
  --state.locks;
  state.lock_id = 0;
  state.lock_object = 0;
  for (const Hold& held : state.holds)
    if (held.kind != HoldKind::pointer && held.kind != HoldKind::irq) state.lock_id = held.id, state.lock_object = held.object;
  forget_non_owning();
  return true;
}

/// Behind the unlock, references into lists and trees may be somebody else's.
void Checker::forget_non_owning() {
  if (state_->locks != 0) return;
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    for (Reg& reg : frame.regs)
      if (reg.has(kNonOwning)) invalidate(reg);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill() && frame.stack[slot].reg.has(kNonOwning)) invalidate(frame.stack[slot].reg);
  }
}

}  // namespace espy::verifier
