// Precision. A number matters exactly where its value decides something: a branch taken one way only, an offset, a size. Only
// there must pruning compare it. So numbers begin imprecise, and a decision walks the path back from itself, instruction by
// instruction, to all numbers that its own was computed from, and marks these in the states on the way. The walk ends in the
// state where they are all marked already, or made from nothing.
//
// What is looked for is a set of registers and stack slots per frame. Steps recorded on the way forward say which instruction
// came before (jumps), which slot an access through a pointer meant, and which registers a comparison narrowed together. Where
// the way back cannot be followed, every number of the path is marked: costly, never wrong.
#include <bit>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::uint32_t kArguments = 0x3e;   // r1 … r5
constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

/// The instruction before `insn` on the way through a state; kNowhere: `insn` is the first. `left` counts the steps not used.
std::uint32_t before(const State& state, std::uint32_t insn, std::size_t& left, const Code& code) {
  if (insn == state.first_insn) {
    if (left == 0) return kNowhere;
    if (left == 1 && state.steps[0].insn == insn) return kNowhere;
  }
  if (left != 0 && state.steps[left - 1].insn == insn) return state.steps[--left].previous;
  --insn;
  return code.insns[insn].second_half ? insn - 1 : insn;
}

bool is_callback_call(const Insn& insn) { return insn.op == isa::Operation::call && insn.calls_callback; }

}  // namespace

std::uint64_t LinkedRegs::pack() const {
  std::uint64_t packed = count;
  for (unsigned i = 0; i < count; ++i) {
    const LinkedReg& entry = entries[i];
    const std::uint64_t bits = std::uint64_t{entry.frame} | std::uint64_t{entry.number} << 3 | std::uint64_t{entry.is_reg} << 9;
    packed |= bits << (4 + 10 * i);
  }
  return packed;
}

LinkedRegs LinkedRegs::unpack(std::uint64_t packed) {
  LinkedRegs linked;
  linked.count = packed & 15;
  for (unsigned i = 0; i < linked.count; ++i) {
    const std::uint64_t bits = packed >> (4 + 10 * i);
    linked.entries[i] = {static_cast<std::uint8_t>(bits & 7), static_cast<std::uint8_t>(bits >> 3 & 63), (bits >> 9 & 1) != 0};
  }
  return linked;
}

void Checker::push_linked(std::uint64_t linked, std::uint8_t pointers) {
  push_step(0, 0, false, linked);
  state_->steps.back().pointers = pointers;
}

void Checker::mark_imprecise(State& state) const {
  for (std::uint32_t i = 0; i <= state.current; ++i) {
    Frame& frame = *state.frames[i];
    for (Reg& reg : frame.regs) reg.precise = false;
    for (unsigned slot = 0; slot < frame.slots; ++slot) frame.stack[slot].reg.precise = false;
  }
}

void Checker::mark_all_precise(State& from) const {
  for (State* state = &from; state != nullptr; state = state->parent)
    for (std::uint32_t i = 0; i <= state->current; ++i) {
      Frame& frame = *state->frames[i];
      for (Reg& reg : frame.regs)
        if (reg.is_scalar()) reg.precise = true;
      for (unsigned slot = 0; slot < frame.slots; ++slot)
        if (frame.stack[slot].is_scalar_spill()) frame.stack[slot].reg.precise = true;
    }
}

bool Checker::back_empty() const {
  for (std::uint32_t i = 0; i <= back_frame_; ++i)
    if (back_regs_[i] != 0 || back_slots_[i] != 0) return false;
  return true;
}

/// Registers that a comparison narrowed together are wanted together.
void Checker::sync_back_linked(const Step* step) {
  if (step == nullptr || step->linked == 0) return;
  const LinkedRegs linked = LinkedRegs::unpack(step->linked);
  bool wanted = false;
  for (unsigned i = 0; i < linked.count && !wanted; ++i) {
    const LinkedReg& entry = linked.entries[i];
    wanted = entry.is_reg ? (back_regs_[entry.frame] >> entry.number & 1) != 0 : (back_slots_[entry.frame] >> entry.number & 1) != 0;
  }
  if (!wanted) return;
  for (unsigned i = 0; i < linked.count; ++i) {
    const LinkedReg& entry = linked.entries[i];
    if (entry.is_reg) back_regs_[entry.frame] |= 1U << entry.number;
    else back_slots_[entry.frame] |= std::uint64_t{1} << entry.number;
  }
}

/// Undoes one instruction: what it made is no longer wanted, what it made that from is. `following` is the instruction that ran
/// behind it.
Checker::Back Checker::back_over(std::uint32_t at, std::uint32_t following, const Step* step) {
  using enum isa::Operation;
  const Insn& insn = code_.insns[at];
  std::uint32_t& wanted = back_regs_[back_frame_];
  const std::uint32_t dst = 1U << insn.dst, src = 1U << insn.src;
  sync_back_linked(step);
  const auto slot_bit = [&] { return std::uint64_t{1} << step->slot; };
  switch (insn.cls) {
    case isa::Class::alu:
    case isa::Class::alu64:
      if ((wanted & dst) == 0) break;
      if (insn.op == mov || insn.op == movsx || insn.op == addr_space_cast) {
        wanted &= ~dst;
        if (insn.reg_operand && insn.src != isa::kFramePointer) wanted |= src;
      } else if (insn.reg_operand && insn.op != neg && insn.op != to_le && insn.op != to_be && insn.op != bswap &&
                 insn.src != isa::kFramePointer) {
        wanted |= src;
      }
      break;
    case isa::Class::ldx:
      if ((wanted & dst) == 0) break;
      wanted &= ~dst;
      if (step != nullptr && step->stack_access) back_slots_[step->frame] |= slot_bit();
      break;
    case isa::Class::st:
    case isa::Class::stx: {
      if (insn.op == load_acquire) {
        if ((wanted & dst) == 0) break;
        wanted &= ~dst;
        if (step != nullptr && step->stack_access) back_slots_[step->frame] |= slot_bit();
        break;
      }
      const bool fetches = insn.op >= fetch_add && insn.op <= cmpxchg;
      const std::uint32_t result = insn.op == cmpxchg ? 1U : src;
      if (fetches && (wanted & result) != 0) {
        wanted &= ~result;
        if (step != nullptr && step->stack_access) back_slots_[step->frame] |= slot_bit();
        break;
      }
      if ((wanted & dst) != 0) return Back::give_up;   // a pointer's number is wanted: there was a subtraction of pointers
      if (step == nullptr || !step->stack_access || (back_slots_[step->frame] & slot_bit()) == 0) break;
      back_slots_[step->frame] &= ~slot_bit();
      if (insn.cls == isa::Class::stx) wanted |= src;
      break;
    }
    case isa::Class::ld:
      if (insn.op == ld_imm64) {
        wanted &= ~dst;
      } else if ((wanted & 1U) != 0) {
        return Back::give_up;
      }
      break;
    case isa::Class::jmp:
    case isa::Class::jmp32:
      if (insn.op == call) {
        if (insn.call == isa::CallKind::subprogram) {
          const int callee = code_.subprogram_at(insn.target);
          if (callee < 0) return Back::give_up;
          if (code_.subprograms[static_cast<std::size_t>(callee)].is_global) {
            wanted &= ~1U;
            if ((wanted & kArguments) != 0) return Back::give_up;
            break;
          }
          // Out of the callee, back into who called it: only arguments can still be wanted there.
          if ((wanted & ~kArguments) != 0 || back_slots_[back_frame_] != 0 || back_frame_ == 0) return Back::give_up;
          const std::uint32_t arguments = wanted & kArguments;
          wanted = 0;
          --back_frame_;
          back_regs_[back_frame_] |= arguments;
          break;
        }
        if (is_callback_call(insn) && at + 1 != following) {
          // From a callback's first instruction to the call that called it; its arguments came from the kernel.
          if ((wanted & ~kArguments) != 0 || back_slots_[back_frame_] != 0 || back_frame_ == 0) return Back::give_up;
          wanted = 0;
          --back_frame_;
          break;
        }
        wanted &= ~1U;
        if ((wanted & kArguments) != 0) {
          if (!is_callback_call(insn)) return Back::give_up;
          wanted &= ~kArguments;
        }
        break;
      }
      if (insn.op == exit) {
        const bool callback = following != kNowhere && code_.insns[following].calls_callback;
        if (callback) wanted &= ~kArguments;
        if ((wanted & kArguments) != 0) return Back::give_up;
        const bool called = following != kNowhere && following > 0 && !code_.insns[following - 1].second_half &&
                            code_.insns[following - 1].op == call && code_.insns[following - 1].call == isa::CallKind::subprogram;
        const bool result = called && (wanted & 1U) != 0;
        wanted &= ~1U;
        if (back_frame_ + 1 >= kMaxFrames) return Back::give_up;
        ++back_frame_;
        back_regs_[back_frame_] = result ? 1U : 0U;
        back_slots_[back_frame_] = 0;
        break;
      }
      if (insn.op >= jeq && insn.op <= jset && insn.reg_operand && (wanted & (dst | src)) != 0) {
        if (step == nullptr || (step->pointers & 2) == 0) wanted |= src;
        if (step == nullptr || (step->pointers & 1) == 0) wanted |= dst;
      }
      break;
  }
  sync_back_linked(step);
  return Back::ok;
}

bool Checker::track_back(State& start, int reg, bool* changed) {
  if (!capable_) return true;
  if (reg >= 0) {
    back_frame_ = start.current;
    back_regs_.fill(0);
    back_slots_.fill(0);
    if (start.frames[start.current]->regs[static_cast<unsigned>(reg)].is_scalar()) back_regs_[back_frame_] = 1U << reg;
  }
  if (back_empty()) return true;
  const auto note_change = [&] {
    if (changed != nullptr) *changed = true;
  };
  State* state = &start;
  std::uint32_t last = start.insn, following = kNowhere;
  bool first = true;
  for (;;) {
    if (last == kNowhere) {
      // The entry of a global function: its arguments are any numbers.
      Frame& frame = *state->frames[0];
      for (unsigned i = 1; i <= 5; ++i)
        if ((back_regs_[0] >> i & 1) != 0 && frame.regs[i].is_scalar() && !frame.regs[i].precise) {
          frame.regs[i].precise = true;
          note_change();
        }
      return true;
    }
    std::size_t left = state->steps.size();
    for (std::uint32_t at = last;;) {
      if (first) {
        first = false;
      } else {
        const Step* step = left != 0 && state->steps[left - 1].insn == at ? &state->steps[left - 1] : nullptr;
        if (back_over(at, following, step) == Back::give_up) {
          mark_all_precise(start);
          note_change();
          return true;
        }
      }
      if (back_empty()) return true;
      following = at;
      at = before(*state, at, left, code_);
      if (at == kNowhere || at >= code_.size()) break;
    }
    following = state->first_insn;
    state = state->parent;
    if (state == nullptr) break;
    for (std::uint32_t i = 0; i <= back_frame_ && i <= state->current; ++i) {
      Frame& frame = *state->frames[i];
      for (std::uint32_t mask = back_regs_[i]; mask != 0; mask &= mask - 1) {
        Reg& marked = frame.regs[static_cast<unsigned>(std::countr_zero(mask))];
        if (!marked.is_scalar() || marked.precise) back_regs_[i] &= ~(mask & -mask);
        else marked.precise = true, note_change();
      }
      for (std::uint64_t mask = back_slots_[i]; mask != 0; mask &= mask - 1) {
        const auto slot = static_cast<unsigned>(std::countr_zero(mask));
        if (slot >= frame.slots || !frame.stack[slot].is_scalar_spill() || frame.stack[slot].reg.precise)
          back_slots_[i] &= ~(mask & -mask);
        else frame.stack[slot].reg.precise = true, note_change();
      }
    }
    if (back_empty()) return true;
    last = state->last_insn;   // what ran before the state was kept
  }
  if (!back_empty()) mark_all_precise(start);
  return true;
}

bool Checker::propagate_precision(State& old, State& now, bool* changed) {
  back_regs_.fill(0);
  back_slots_.fill(0);
  back_frame_ = now.current;
  for (std::uint32_t i = 0; i <= old.current; ++i) {
    const Frame& frame = *old.frames[i];
    for (unsigned reg = 0; reg < isa::kRegisters; ++reg)
      if (frame.regs[reg].is_scalar() && frame.regs[reg].precise) back_regs_[i] |= 1U << reg;
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_scalar_spill() && frame.stack[slot].reg.precise) back_slots_[i] |= std::uint64_t{1} << slot;
  }
  return track_back(now, kNoRegister, changed);
}

/// An id that nothing shares tells nothing, and would keep states apart.
void Checker::clear_singular_ids(State& state) {
  id_pairs_.clear();
  const auto each = [&](auto visit) {
    for (std::uint32_t i = 0; i <= state.current; ++i) {
      Frame& frame = *state.frames[i];
      for (Reg& reg : frame.regs)
        if (reg.is_scalar() && reg.id != 0) visit(reg);
      for (unsigned slot = 0; slot < frame.slots; ++slot)
        if (frame.stack[slot].is_scalar_spill() && frame.stack[slot].reg.id != 0) visit(frame.stack[slot].reg);
    }
  };
  each([&](Reg& reg) {
    const std::uint32_t id = reg.id & ~kIdPlusConstant;
    for (IdPair& pair : id_pairs_)
      if (pair.old == id) {
        ++pair.now;
        return;
      }
    id_pairs_.push_back({id, 1});
  });
  each([&](Reg& reg) {
    const std::uint32_t id = reg.id & ~kIdPlusConstant;
    for (const IdPair& pair : id_pairs_)
      if (pair.old == id && pair.now == 1) {
        reg.id = 0;
        reg.off = 0;
        return;
      }
  });
}

}  // namespace espy::verifier
