// Dynptrs, iterators, saved interrupt flags: objects that live in the program's stack, which only the functions made for them
// may touch. A slot holds its kind; a direct write breaks the object, and a reference that it held then leaks.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

void wipe(StackSlot& slot) {
  const std::uint8_t live = slot.reg.live;
  slot = StackSlot{};
  slot.reg.live = live | kLiveWritten;
}

void fill(StackSlot& slot, SlotKind kind) {
  const std::uint8_t live = slot.reg.live;
  slot.reg = Reg{};
  slot.reg.live = live | kLiveWritten;
  slot.kinds.fill(kind);
}

}  // namespace

/// The stack slots that an object behind a register stands in: frame and its first slot (the one at the lowest address).
bool Checker::object_slot(unsigned number, unsigned slots, std::string_view name, Frame*& frame, unsigned& slot) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (!reg.value.is_const()) return reject_reg(Rule::dynptr, at, "{} has to be at a constant offset", name);
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  if (off % 8 != 0) return reject_reg(Rule::dynptr, at, "cannot pass in {} at an offset={}", name, off);
  frame = &frame_of(reg);
  if (off >= 0 || off < -isa::kStackBytes || off + 8 * static_cast<std::int64_t>(slots) > 0)
    return reject_reg(Rule::dynptr, at, "cannot pass in {} at an offset={}", name, off);
  slot = static_cast<unsigned>((-off - 1) / 8);
  return true;
}

/// Makes 16 bytes of stack a dynptr.
bool Checker::make_dynptr(unsigned number, DynptrType type, CallMeta& meta) {
  const Reg& reg = regs()[number];
  if (reg.type != RegType::stack) return reject_reg(Rule::dynptr, static_cast<int>(number), "arg#{} expected pointer to stack or const struct bpf_dynptr", number - 1);
  Frame* frame = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, 2, "dynptr", frame, slot)) return false;
  // The sixteen bytes are written by the helper, so they must be there to write.
  for (int i = 0; i < 16; i += 8)
    if (!access_memory(number, i, 8, Access::write, kNoRegister, false, false)) return false;
  if (!drop_dynptr_at(*frame, slot) || !drop_dynptr_at(*frame, slot - 1)) return false;
  const std::uint32_t id = new_id();
  std::uint32_t reference = 0;
  if (type == DynptrType::ringbuf) reference = hold(HoldKind::pointer);
  for (unsigned i = 0; i < 2; ++i) {
    StackSlot& entry = frame->stack[slot - i];
    fill(entry, SlotKind::dynptr);
    entry.reg.type = RegType::dynptr;
    entry.reg.dynptr = type;
    entry.reg.first_slot = i == 0 ? 1 : 0;
    entry.reg.id = id;
    entry.reg.ref_id = reference;
    if (meta.read_only_memory) entry.reg.flags |= kReadOnly;
  }
  return true;
}

/// An initialised dynptr as argument; with `owned`, one that the program may give back.
bool Checker::use_dynptr(unsigned number, facts::DynptrKind kind, CallMeta& meta, bool owned) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  DynptrType type = DynptrType::none;
  if (reg.type == RegType::dynptr) {
    if (owned) return reject_reg(Rule::dynptr, at, "CONST_PTR_TO_DYNPTR cannot be released: cannot release unowned const bpf_dynptr");
    if (reg.off != 0 || !reg.value.is_zero()) return reject_reg(Rule::dynptr, at, "cannot pass in dynptr at an offset={}", reg.off);
    type = reg.dynptr;
    meta.dynptr_id = reg.id;
  } else {
    if (reg.type != RegType::stack) return reject_reg(Rule::dynptr, at, "arg#{} expected pointer to stack or const struct bpf_dynptr", number - 1);
    Frame* frame = nullptr;
    unsigned slot = 0;
    if (!object_slot(number, 2, "dynptr", frame, slot)) return false;
    const bool there = slot < frame->slots && slot >= 1 && frame->stack[slot].kinds[7] == SlotKind::dynptr && frame->stack[slot].reg.first_slot != 0 &&
                       frame->stack[slot].kinds[0] == SlotKind::dynptr && frame->stack[slot - 1].kinds[7] == SlotKind::dynptr;
    if (!there) return reject_reg(Rule::dynptr, at, "Expected an initialized dynptr as arg #{}", number - 1);
    mark_slot_read(*frame, slot);
    mark_slot_read(*frame, slot - 1);
    const Reg& held = frame->stack[slot].reg;
    type = held.dynptr;
    meta.dynptr_id = held.id;
    meta.read_only_memory = held.has(kReadOnly);
    if (owned && held.ref_id == 0) return reject_reg(Rule::dynptr, at, "arg {} is an unacquired reference", number);
    meta.ref_id = held.ref_id;
  }
  meta.dynptr = type;
  const DynptrType wanted = kind == facts::DynptrKind::local     ? DynptrType::local
                            : kind == facts::DynptrKind::ringbuf ? DynptrType::ringbuf
                            : kind == facts::DynptrKind::skb     ? DynptrType::skb
                            : kind == facts::DynptrKind::xdp     ? DynptrType::xdp
                                                                 : DynptrType::none;
  if (wanted != DynptrType::none && wanted != type) {
    constexpr const char* kNames[] = {"", "local", "ringbuf", "skb ", "xdp ", "skb_meta"};
    return reject_reg(Rule::dynptr, at, "Expected a dynptr of type {} as arg #{}", kNames[static_cast<int>(wanted)], number - 1);
  }
  return true;
}

/// A write into a dynptr breaks it, which it may only if it holds no reference.
bool Checker::drop_dynptr_at(Frame& frame, unsigned slot) {
  if (slot >= frame.slots || frame.stack[slot].kinds[7] != SlotKind::dynptr) return true;
  unsigned first = slot;
  if (frame.stack[slot].reg.first_slot == 0) first = slot + 1;
  if (first == 0 || first >= frame.slots) return true;
  if (frame.stack[first].reg.ref_id != 0) {
    // Another copy of the same reservation would still tell of it.
    unsigned copies = 0;
    for (unsigned i = 0; i < frame.slots; ++i)
      if (frame.stack[i].kinds[7] == SlotKind::dynptr && frame.stack[i].reg.first_slot != 0 && frame.stack[i].reg.ref_id == frame.stack[first].reg.ref_id) ++copies;
    if (copies <= 1) return reject(Rule::dynptr, "cannot overwrite referenced dynptr");
  }
  const std::uint32_t id = frame.stack[first].reg.id;
  mark_slot_read(frame, first);
  mark_slot_read(frame, first - 1);
  wipe(frame.stack[first]);
  wipe(frame.stack[first - 1]);
  forget_slices(id);
  return true;
}

/// Slices of a dynptr live as long as it.
void Checker::forget_slices(std::uint32_t dynptr_id) {
  if (dynptr_id == 0) return;
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    for (Reg& reg : frame.regs)
      if (reg.type == RegType::mem && reg.second == dynptr_id) invalidate(reg);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill() && frame.stack[slot].reg.type == RegType::mem && frame.stack[slot].reg.second == dynptr_id) invalidate(frame.stack[slot].reg);
  }
}

/// The reservation behind a dynptr is given back: it, its clones and all slices are gone.
bool Checker::drop_dynptr(unsigned number) {
  Frame* target = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, 2, "dynptr", target, slot)) return false;
  const std::uint32_t reference = target->stack[slot].reg.ref_id;
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    for (unsigned n = 0; n < frame.slots; ++n)
      if (frame.stack[n].kinds[7] == SlotKind::dynptr && frame.stack[n].reg.ref_id == reference) {
        forget_slices(frame.stack[n].reg.id);
        wipe(frame.stack[n]);
      }
  }
  if (!let_go(reference)) return reject(Rule::leaked_reference, "verifier internal error: dynptr reference {} is not held", reference);
  return true;
}

// ---- iterators ----

bool Checker::is_iter_next(std::uint32_t insn) const { return iter_next_[insn]; }

bool Checker::iterator_is_active(const Reg& pointer) const {
  if (pointer.type != RegType::stack) return false;
  const Frame& frame = *state_->frames[pointer.frame];
  const std::int64_t off = std::int64_t{pointer.off} + static_cast<std::int64_t>(pointer.value.bits.value);
  if (off >= 0) return false;
  const auto slot = static_cast<unsigned>((-off - 1) / 8);
  return slot < frame.slots && (frame.stack[slot].reg.iter & 0xff) == static_cast<std::uint32_t>(IterState::active);
}

bool Checker::make_iterator(unsigned number, CallMeta& meta, unsigned slots) {
  Frame* frame = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, slots, "iter", frame, slot)) return false;
  for (unsigned i = 0; i < slots; ++i)
    if (slot - i < frame->slots && frame->stack[slot - i].kinds[7] == SlotKind::iter)
      return reject_reg(Rule::iterator, static_cast<int>(number), "expected uninitialized iter_{} as arg #{}", meta.iterator, number - 1);
  for (unsigned i = 0; i < 8 * slots; i += 8)
    if (!access_memory(number, static_cast<std::int32_t>(i), 8, Access::write, kNoRegister, false, false)) return false;
  const std::uint32_t id = hold(HoldKind::pointer);
  for (unsigned i = 0; i < slots; ++i) {
    StackSlot& entry = frame->stack[slot - i];
    fill(entry, SlotKind::iter);
    entry.reg.type = RegType::stack;
    entry.reg.btf = meta.btf;
    entry.reg.iter_type = meta.type_id;
    entry.reg.iter = static_cast<std::uint32_t>(IterState::active) | (i == 0 ? 1U << 8 : 0U);
    entry.reg.ref_id = i == 0 ? id : 0;
    if (meta.kfunc != nullptr && (meta.flags & facts::rcu_protected) != 0) entry.reg.flags |= in_rcu() ? std::uint32_t{kRcu} : std::uint32_t{kUntrusted};
    if (meta.kfunc != nullptr && (meta.flags & facts::rcu_protected) == 0) entry.reg.flags |= kTrusted;
  }
  return true;
}

bool Checker::use_iterator(unsigned number, CallMeta& meta, unsigned slots) {
  Frame* frame = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, slots, "iter", frame, slot)) return false;
  bool there = slot < frame->slots;
  for (unsigned i = 0; i < slots && there; ++i) {
    const StackSlot& entry = frame->stack[slot - i];
    mark_slot_read(*frame, slot - i);
    there = entry.kinds[7] == SlotKind::iter && entry.kinds[0] == SlotKind::iter && entry.reg.iter_type == meta.type_id && ((entry.reg.iter >> 8 & 1) != 0) == (i == 0);
    if (there && entry.reg.has(kUntrusted))
      return reject_reg(Rule::rcu, static_cast<int>(number), "expected an RCU CS when using {}", meta.name);
  }
  if (!there) return reject_reg(Rule::iterator, static_cast<int>(number), "expected an initialized iter_{} as arg #{}", meta.iterator, number - 1);
  meta.iter_slot = static_cast<int>(slot);
  meta.iter_frame = static_cast<int>(frame->frameno);
  return true;
}

bool Checker::drop_iterator(CallMeta& meta, unsigned slots) {
  Frame& frame = *state_->frames[static_cast<std::size_t>(meta.iter_frame)];
  const auto slot = static_cast<unsigned>(meta.iter_slot);
  const std::uint32_t id = frame.stack[slot].reg.ref_id;
  for (unsigned i = 0; i < slots; ++i) wipe(frame.stack[slot - i]);
  let_go(id);
  return true;
}

// One path goes on with another element, one without any. What differs between turns and decides nothing is blurred, so that
// the loop's states repeat.
bool Checker::advance_iterator(const Insn& insn, CallMeta& meta) {
  const auto slot = static_cast<std::size_t>(meta.iter_slot), frame = static_cast<std::size_t>(meta.iter_frame);
  Reg& iterator = state_->frames[frame]->stack[slot].reg;
  if ((iterator.iter & 0xff) == static_cast<std::uint32_t>(IterState::drained)) {
    regs()[0] = Reg::constant(0);
    return true;
  }
  State* before = state_->parent != nullptr ? previous_turn(*state_->parent, insn_) : nullptr;
  State* again = push(insn_ + insn.slots, insn_);
  if (again == nullptr) return false;
  Reg& other = again->frames[frame]->stack[slot].reg;
  other.iter += 1U << 16;
  if (before != nullptr) widen(*before, *again);
  Reg& result = again->reg(0);
  if (result.is_pointer()) adopt_null_check(result);
  iterator.iter = (iterator.iter & ~0xffU) | static_cast<std::uint32_t>(IterState::drained);
  regs()[0] = Reg::constant(0);
  return true;
}

// ---- interrupt flags ----

bool Checker::irq_save(unsigned number, std::uint32_t kind) {
  Frame* frame = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, 1, "irq flag", frame, slot)) return false;
  if (slot < frame->slots && frame->stack[slot].kinds[7] == SlotKind::irq_flag)
    return reject_reg(Rule::irq, static_cast<int>(number), "expected uninitialized irq flag as arg#{}", number - 1);
  if (!access_memory(number, 0, 8, Access::write, kNoRegister, false, false)) return false;
  const std::uint32_t id = new_id();
  state_->holds.push_back({HoldKind::irq, id, insn_, 0});
  StackSlot& entry = frame->stack[slot];
  fill(entry, SlotKind::irq_flag);
  entry.reg.type = RegType::stack;
  entry.reg.irq_kind = kind;
  entry.reg.ref_id = id;
  state_->active_irq = id;
  return true;
}

bool Checker::irq_restore(unsigned number, std::uint32_t kind) {
  Frame* frame = nullptr;
  unsigned slot = 0;
  if (!object_slot(number, 1, "irq flag", frame, slot)) return false;
  if (slot >= frame->slots || frame->stack[slot].kinds[7] != SlotKind::irq_flag || frame->stack[slot].kinds[0] != SlotKind::irq_flag)
    return reject_reg(Rule::irq, static_cast<int>(number), "expected an initialized irq flag as arg#{}", number - 1);
  StackSlot& entry = frame->stack[slot];
  mark_slot_read(*frame, slot);
  if (entry.reg.irq_kind != kind)
    return reject_reg(Rule::irq, static_cast<int>(number), "irq flag acquired by {} kfuncs cannot be restored with {} kfuncs", kind == 0 ? "lock" : "native", kind == 0 ? "native" : "lock");
  const std::uint32_t id = entry.reg.ref_id;
  if (id != state_->active_irq) {
    for (const Hold& hold : state_->holds)
      if (hold.kind == HoldKind::irq && hold.id == state_->active_irq)
        return reject(Rule::irq, "cannot restore irq state out of order, expected id={} acquired at insn_idx={}", state_->active_irq, hold.insn);
    return reject(Rule::irq, "cannot restore irq state out of order, expected id={} acquired at insn_idx={}", state_->active_irq, 0);
  }
  std::erase_if(state_->holds, [&](const Hold& hold) { return hold.kind == HoldKind::irq && hold.id == id; });
  state_->active_irq = 0;
  for (const Hold& hold : state_->holds)
    if (hold.kind == HoldKind::irq) state_->active_irq = hold.id;
  wipe(entry);
  return true;
}

}  // namespace espy::verifier
