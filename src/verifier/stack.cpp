// The stack: 512 bytes a frame, in slots of eight. A register stored whole at a slot's boundary is spilled: loaded again, it is
// what it was, pointer or number with all its bounds. Other stores leave bytes of which only "initialised" or "zero" is known.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::int64_t kMaxOffset = std::int64_t{1} << 29;

std::string var_off(const Reg& reg) { return fmt::format("(0x{:x}; 0x{:x})", reg.value.bits.value, reg.value.bits.mask); }

/// Number of the byte at `off` (negative), counted down from the frame's top.
unsigned byte_at(std::int64_t off) { return static_cast<unsigned>(-off - 1); }

unsigned spill_bytes(const StackSlot& slot) {
  unsigned bytes = 1;
  for (unsigned i = 7; i > 0 && slot.kinds[i - 1] == SlotKind::spill; --i) ++bytes;
  return bytes;
}

unsigned width_of(const Reg& reg) { return static_cast<unsigned>(std::bit_width(reg.value.umax)); }

bool is_special(const StackSlot& slot) {
  return slot.kinds[7] == SlotKind::dynptr || slot.kinds[7] == SlotKind::iter || slot.kinds[7] == SlotKind::irq_flag;
}

}  // namespace

bool Checker::grow_stack(Frame& frame, unsigned slots) {
  pool_.grow(frame, slots);
  Subprogram& subprogram = code_.subprograms[frame.subprog];
  subprogram.stack_depth = std::max<std::uint16_t>(subprogram.stack_depth, static_cast<std::uint16_t>(8 * slots));
  return true;
}

bool Checker::stack_bounds(unsigned number, std::int64_t off, std::int64_t size, Access access) {
  Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const char* how = access == Access::write ? " write to" : " read from";
  off += reg.off;
  std::int64_t least = 0, most = 0;
  if (reg.value.is_const()) {
    least = static_cast<std::int64_t>(reg.value.bits.value) + off;
    most = least + size;
  } else {
    if (reg.value.smax >= kMaxOffset || reg.value.smin <= -kMaxOffset)
      return reject_reg(Rule::unbounded_offset, at, "invalid unbounded variable-offset{} stack R{}", how, number);
    least = reg.value.smin + off;
    most = reg.value.smax + off + size;
  }
  Frame& frame = frame_of(reg);
  const bool anywhere = access == Access::write || (leaks_allowed_ && profile_.has(Behaviour::uninitialised_stack));
  const std::int64_t bottom = anywhere ? -isa::kStackBytes : -8 * std::int64_t{frame.slots};
  if (least < bottom || least > -1 || most > 0 || size < 0) {
    const Rule rule = least < -isa::kStackBytes ? Rule::stack_overflow : least < bottom ? Rule::uninitialised_stack : Rule::stack_bounds;
    failure_.offset = least;
    failure_.size = size;
    if (reg.value.is_const()) return reject_reg(rule, at, "invalid{} stack R{} off={} size={}", how, number, least, size);
    return reject_reg(rule, at, "invalid variable-offset{} stack R{} var_off={} off={} size={}", how, number, var_off(reg), off, size);
  }
  return grow_stack(frame, static_cast<unsigned>((-least + 7) / 8));
}

bool Checker::stack_read(unsigned number, std::int32_t off, unsigned size, int value_reg) {
  Reg& reg = regs()[number];
  const std::int64_t whole = std::int64_t{off} + reg.off;
  if (!reg.value.is_const()) {
    if (value_reg < 0)
      return reject_reg(Rule::unbounded_offset, static_cast<int>(number),
                        "variable offset stack pointer cannot be passed into helper function; var_off={} off={} size={}", var_off(reg), whole, size);
    return stack_read_variable(number, whole, size, value_reg);
  }
  return stack_read_fixed(frame_of(reg), whole + static_cast<std::int64_t>(reg.value.bits.value), size, value_reg);
}

bool Checker::stack_read_fixed(Frame& frame, std::int64_t off, unsigned size, int value_reg) {
  const unsigned first = byte_at(off), slot_number = first / 8;
  StackSlot& slot = frame.stack[slot_number];
  mark_slot_read(frame, slot_number);
  const bool uninitialised_ok = leaks_allowed_ && profile_.has(Behaviour::uninitialised_stack);
  const auto invalid_read = [&](unsigned byte) {
    failure_.offset = off;
    failure_.size = size;
    return reject(Rule::uninitialised_stack, "invalid read from stack off {}+{} size {}", off, byte, size);
  };
  if (slot.is_spill()) {
    const unsigned spilled = spill_bytes(slot);
    const Reg held = slot.reg;
    if (size == 8 && spilled == 8) {
      if (value_reg < 0) {
        if (is_pointer_value(held)) return reject(Rule::pointer_leak, "leaking pointer from stack off {}", off);
        return true;
      }
      regs()[value_reg] = held;
      regs()[value_reg].live = 0;
      push_step(static_cast<std::uint8_t>(frame.frameno), static_cast<std::uint8_t>(slot_number), true, 0);
      return true;
    }
    if (!held.is_scalar()) return reject(Rule::stack_bounds, "invalid size of register fill");
    if (value_reg < 0) return true;
    Reg& dst = regs()[value_reg];
    if (size <= spilled && off % 8 == 0) {
      dst = held;
      dst.live = 0;
      if (width_of(held) > size * 8) {
        dst.id = 0;
        dst.off = 0;
      }
      push_step(static_cast<std::uint8_t>(frame.frameno), static_cast<std::uint8_t>(slot_number), true, 0);
      return true;
    }
    unsigned from_spill = 0, zeroes = 0;
    for (unsigned i = 0; i < size; ++i) {
      const SlotKind kind = slot.kinds[(first - i) % 8];
      if (kind == SlotKind::spill) ++from_spill;
      else if (kind == SlotKind::zero) ++zeroes;
      else if (kind != SlotKind::misc && !(kind == SlotKind::invalid && uninitialised_ok)) return invalid_read(i);
    }
    if ((from_spill == size && held.value.is_zero()) || zeroes == size) set_constant(dst, 0);
    else set_unknown(dst);
    return true;
  }
  unsigned zeroes = 0;
  for (unsigned i = 0; i < size; ++i) {
    const SlotKind kind = slot.kinds[(first - i) % 8];
    if (kind == SlotKind::zero) ++zeroes;
    else if (kind != SlotKind::misc && !(kind == SlotKind::invalid && uninitialised_ok)) return invalid_read(i);
  }
  if (value_reg >= 0) {
    if (zeroes == size) set_constant(regs()[value_reg], 0);
    else set_unknown(regs()[value_reg]);
  }
  return true;
}

bool Checker::stack_read_variable(unsigned number, std::int64_t off, unsigned size, int value_reg) {
  const Reg pointer = regs()[number];
  if (!stack_initialised(number, off - pointer.off, size, false, nullptr, Access::read)) return false;
  Frame& frame = frame_of(pointer);
  const std::int64_t least = pointer.value.smin + off, most = pointer.value.smax + off + size;
  bool zero = true;
  for (std::int64_t at = least; at < most; ++at) {
    const StackSlot& slot = frame.stack[byte_at(at) / 8];
    mark_slot_read(frame, byte_at(at) / 8);
    if (slot.kinds[byte_at(at) % 8] != SlotKind::zero) zero = false;
  }
  if (zero) set_constant(regs()[value_reg], 0);
  else set_unknown(regs()[value_reg]);
  return true;
}

/// Bytes of a slot whose spill is broken: still initialised, no more.
void Checker::scrub_slot(StackSlot& slot) const {
  for (SlotKind& kind : slot.kinds)
    if (kind == SlotKind::spill) kind = SlotKind::misc;
}

void Checker::spill(Frame& frame, unsigned number, const Reg& reg, unsigned size) {
  StackSlot& slot = frame.stack[number];
  const std::uint8_t live = slot.reg.live;
  slot.reg = reg;
  slot.reg.live = live;
  for (unsigned i = 8; i > 8 - size; --i) slot.kinds[i - 1] = SlotKind::spill;
  // What stays of an older, wider spill is bytes.
  for (unsigned i = 8 - size; i-- > 0;) {
    SlotKind& kind = slot.kinds[i];
    if (kind == SlotKind::spill || (kind == SlotKind::invalid && leaks_allowed_) || kind == SlotKind::dynptr || kind == SlotKind::iter ||
        kind == SlotKind::irq_flag)
      kind = kind == SlotKind::invalid ? SlotKind::invalid : SlotKind::misc;
  }
  if (size == 8) mark_slot_written(frame, number);
}

bool Checker::stack_write(unsigned number, std::int32_t off, unsigned size, int value_reg) {
  Reg& reg = regs()[number];
  const std::int64_t whole = std::int64_t{off} + reg.off;
  Frame& frame = frame_of(reg);
  if (reg.value.is_const()) return stack_write_fixed(frame, whole + static_cast<std::int64_t>(reg.value.bits.value), size, value_reg);
  return stack_write_variable(frame, Reg(reg), whole, size, value_reg);
}

bool Checker::stack_write_fixed(Frame& frame, std::int64_t off, unsigned size, int value_reg) {
  const unsigned first = byte_at(off), number = first / 8;
  StackSlot& slot = frame.stack[number];
  const Insn& insn = code_.insns[insn_];
  Reg* value = value_reg >= 0 ? &regs()[value_reg] : nullptr;
  const bool immediate = value == nullptr && insn.cls == isa::Class::st;
  if (!leaks_allowed_ && slot.is_spill() && size != 8 && !slot.is_scalar_spill())
    return reject(Rule::pointer_leak, "attempt to corrupt spilled pointer on stack");
  if (!drop_dynptr_at(frame, number)) return false;
  const bool at_slot = off % 8 == 0;
  if (value != nullptr && at_slot && value->is_scalar() && capable_) {
    // A number that fits is the same number in the slot: both share an id.
    const bool fits = width_of(*value) <= size * 8;
    if (fits && profile_.has(Behaviour::spilled_identity)) give_scalar_id(*value);
    spill(frame, number, *value, size);
    if (!fits) {
      slot.reg.id = 0;
      slot.reg.off = 0;
    }
    push_step(static_cast<std::uint8_t>(frame.frameno), static_cast<std::uint8_t>(number), true, 0);
    return true;
  }
  if (immediate && at_slot && capable_) {
    Reg constant = Reg::constant(static_cast<std::uint64_t>(std::int64_t{insn.imm}));
    spill(frame, number, constant, size);
    push_step(static_cast<std::uint8_t>(frame.frameno), static_cast<std::uint8_t>(number), true, 0);
    return true;
  }
  if (value != nullptr && value->is_pointer()) {
    if (size != 8) return reject_reg(Rule::pointer_leak, value_reg, "invalid size of register spill");
    if (frame.frameno != state_->current && value->type == RegType::stack)
      return reject_reg(Rule::pointer_leak, value_reg, "cannot spill pointers to stack into stack frame of the caller");
    spill(frame, number, *value, 8);
    push_step(static_cast<std::uint8_t>(frame.frameno), static_cast<std::uint8_t>(number), true, 0);
    return true;
  }
  SlotKind kind = SlotKind::misc;
  const std::uint8_t live = slot.reg.live;
  slot.reg = Reg{};
  slot.reg.live = live;
  if (slot.is_spill() || is_special(slot))
    for (SlotKind& byte : slot.kinds)
      if (byte != SlotKind::zero && byte != SlotKind::invalid) byte = SlotKind::misc;
  if (size == 8) mark_slot_written(frame, number);
  const bool zero = (value != nullptr && value->is_null()) || (immediate && insn.imm == 0);
  if (zero) {
    // Zeroes are kept as such although the number is not spilled, so the number must be exactly that.
    if (value != nullptr && !need_precise(static_cast<unsigned>(value_reg))) return false;
    kind = SlotKind::zero;
  }
  for (unsigned i = 0; i < size; ++i) slot.kinds[(first - i) % 8] = kind;
  return true;
}

bool Checker::stack_write_variable(Frame& frame, const Reg& pointer, std::int64_t off, unsigned size, int value_reg) {
  const std::int64_t least = pointer.value.smin + off, most = pointer.value.smax + off + size;
  const Insn& insn = code_.insns[insn_];
  const Reg* value = value_reg >= 0 ? &regs()[value_reg] : nullptr;
  const bool zero = (value != nullptr && value->is_null()) || (value == nullptr && insn.cls == isa::Class::st && insn.imm == 0);
  bool used_zero = false;
  for (std::int64_t at = least; at < most; ++at)
    if (!drop_dynptr_at(frame, byte_at(at) / 8)) return false;
  for (std::int64_t at = least; at < most; ++at) {
    StackSlot& slot = frame.stack[byte_at(at) / 8];
    SlotKind& kind = slot.kinds[byte_at(at) % 8];
    if (!leaks_allowed_ && slot.is_spill() && !slot.is_scalar_spill())
      return reject(Rule::pointer_leak, "spilled ptr in range of var-offset stack write; insn {}, ptr off: {}", insn_, at);
    if (zero && kind == SlotKind::spill && slot.is_scalar_spill() && slot.reg.value.is_zero()) {
      used_zero = true;
      continue;
    }
    if (slot.is_spill() || kind == SlotKind::spill) {
      const std::uint8_t live = slot.reg.live;
      scrub_slot(slot);
      slot.reg = Reg{};
      slot.reg.live = live;
    }
    SlotKind written = SlotKind::misc;
    if (zero && kind == SlotKind::zero) {
      written = SlotKind::zero;
      used_zero = true;
    }
    if (kind == SlotKind::invalid && !(leaks_allowed_ && profile_.has(Behaviour::uninitialised_stack)) && !leaks_allowed_)
      return reject(Rule::privileges, "uninit stack in range of var-offset write prohibited for !root; insn {}, off: {}", insn_, at);
    kind = written;
  }
  if (used_zero && value != nullptr) return need_precise(static_cast<unsigned>(value_reg));
  return true;
}

/// A helper reads (or, with raw memory, writes) [off, off + size) behind the pointer: all of it must be initialised.
bool Checker::stack_initialised(unsigned number, std::int64_t off, std::int64_t size, bool zero_ok, CallMeta* meta, Access access) {
  Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (size == 0 && !zero_ok) return reject_reg(Rule::zero_size, at, "invalid zero-sized read");
  if (!stack_bounds(number, off, size, access)) return false;
  Frame& frame = frame_of(reg);
  off += reg.off;
  std::int64_t least = 0, most = 0;
  if (reg.value.is_const()) {
    least = most = static_cast<std::int64_t>(reg.value.bits.value) + off;
  } else {
    if (!privileged()) return reject_reg(Rule::privileges, at, "R{} variable offset stack access prohibited for !root, var_off={}", number, var_off(reg));
    if (meta != nullptr && meta->raw_reg != 0) {
      meta->raw_reg = 0;
      meta = nullptr;
    }
    least = reg.value.smin + off;
    most = reg.value.smax + off;
  }
  if (meta != nullptr && meta->raw_reg == static_cast<int>(number)) {
    for (std::int64_t i = least; i < most + size; ++i) {
      const unsigned byte = byte_at(i);
      if (byte / 8 < frame.slots && frame.stack[byte / 8].kinds[byte % 8] == SlotKind::dynptr)
        return reject_reg(Rule::dynptr, at, "potential write to dynptr at off={} disallowed", i);
    }
    meta->access_size = static_cast<std::uint32_t>(size);
    return true;
  }
  const bool writes = access == Access::write;
  const bool uninitialised_ok = leaks_allowed_ && profile_.has(Behaviour::uninitialised_stack);
  for (std::int64_t i = least; i < most + size; ++i) {
    StackSlot& slot = frame.stack[byte_at(i) / 8];
    SlotKind& kind = slot.kinds[byte_at(i) % 8];
    mark_slot_read(frame, byte_at(i) / 8);
    if (kind == SlotKind::misc) continue;
    if (kind == SlotKind::zero || (kind == SlotKind::invalid && uninitialised_ok)) {
      if (writes) kind = SlotKind::misc;
      continue;
    }
    if (slot.is_spill() && kind == SlotKind::spill && (slot.reg.is_scalar() || leaks_allowed_)) {
      if (writes) {
        const std::uint8_t live = slot.reg.live;
        slot.reg = Reg::unknown();
        slot.reg.live = live;
        scrub_slot(slot);
      }
      continue;
    }
    failure_.offset = least;
    failure_.size = size;
    if (reg.value.is_const()) return reject_reg(Rule::uninitialised_stack, at, "invalid read from stack R{} off {}+{} size {}", number, least, i - least, size);
    return reject_reg(Rule::uninitialised_stack, at, "invalid read from stack R{} var_off {}+{} size {}", number, var_off(reg), i - least, size);
  }
  return true;
}

}  // namespace espy::verifier
