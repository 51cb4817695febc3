// Pruning. Where paths meet, the walk looks whether a state that was here before covers the present one: if the old state's
// paths ended well, so will the new one's. States are kept only at some of these points, because most would never be met again.
//
// Two things make an old state cover more than its equals. First, registers that nothing behind reads do not count (code.hpp
// computes them once) nor do stack slots that no path from the state has read, which is only known as paths end: a read of a
// slot marks it in all states up to the one behind the slot's last write. Second, numbers whose exact value decided nothing
// need not agree (precision.cpp).
//
// Loops that end for reasons other than their numbers (iterators, callbacks, may_goto) are cut when a state comes around that
// the loop's own, unfinished, state covers in every value. Marks of such an old state are still incomplete, so the cut path is
// remembered as a back edge; when the loop's first state has no path left open, marks are carried over the back edges until
// nothing changes, and until then its states cover only what they equal in every value.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::uint32_t kMaxStepsBetweenStates = 40;
constexpr int kMaxBackEdgeRounds = 64;
constexpr std::uint32_t kMaxUnprivilegedStates = 64;

}  // namespace

void Checker::push_step(std::uint8_t frame, std::uint8_t slot, bool stack_access, std::uint64_t linked) {
  if (step_recorded_) {   // one Step an instruction
    Step& step = state_->steps.back();
    if (stack_access) step.stack_access = true, step.frame = frame, step.slot = slot;
    if (linked != 0) step.linked = linked;
    return;
  }
  state_->steps.push_back({.insn = insn_, .previous = previous_, .frame = frame, .slot = slot, .stack_access = stack_access, .linked = linked});
  step_recorded_ = true;
}

// ---- liveness of stack slots ----

void Checker::mark_parents_read(State& start, std::uint32_t frame, unsigned slot) {
  for (State* state = &start;;) {
    const Frame& here = *state->frames[frame];
    if (slot < here.slots && (here.stack[slot].reg.live & kLiveWritten) != 0) return;
    if (!here.linked || state->parent == nullptr) return;
    State* parent = state->parent;
    if (frame > parent->current || slot >= parent->frames[frame]->slots) return;
    std::uint8_t& live = parent->frames[frame]->stack[slot].reg.live;
    if ((live & kLiveRead) != 0) return;
    live |= kLiveRead;
    state = parent;
  }
}

void Checker::mark_slot_read(Frame& frame, unsigned slot) { mark_parents_read(*state_, frame.frameno, slot); }

void Checker::mark_slot_written(Frame& frame, unsigned slot) { frame.stack[slot].reg.live |= kLiveWritten; }

/// What is read behind `from` is read behind `to`, which it covers.
void Checker::propagate_liveness(State& from, State& to) {
  for (std::uint32_t frame = 0; frame <= from.current; ++frame) {
    const Frame& old = *from.frames[frame];
    for (unsigned slot = 0; slot < old.slots; ++slot)
      if ((old.stack[slot].reg.live & kLiveRead) != 0) mark_parents_read(to, frame, slot);
  }
}

/// Once all paths from a state have ended, what none of them read is forgotten: it covers more, and compares faster.
void Checker::clean_state(State& state) {
  state.cleaned = true;
  for (std::uint32_t i = 0; i <= state.current; ++i) {
    Frame& frame = *state.frames[i];
    const std::uint16_t live = code_.insns[frame_insn(state, i)].live;
    for (unsigned reg = 0; reg < isa::kFramePointer; ++reg)
      if ((live & bit(reg)) == 0) frame.regs[reg] = Reg{};
    for (unsigned slot = 0; slot < frame.slots; ++slot) {
      StackSlot& entry = frame.stack[slot];
      if ((entry.reg.live & kLiveRead) != 0) continue;
      const std::uint8_t marks = entry.reg.live;
      entry = StackSlot{};
      entry.reg.live = marks;
    }
  }
}

void Checker::clean_states(std::uint32_t insn) {
  for (Kept& kept : kept_[insn]) {
    State& state = *kept.state;
    if (state.branches != 0 || state.cleaned || incomplete(state)) continue;
    clean_state(state);
  }
}

// ---- loops ----

std::uint32_t Checker::frame_insn(const State& state, std::uint32_t frame) const {
  return frame == state.current ? state.insn : state.frames[frame + 1]->callsite;
}

/// The outermost loop that a state is in: calls that lead there, and the loop's number. False: in none.
bool Checker::loop_key(const State& state, LoopVisit& key) const {
  key.depth = 0;
  key.callsites = {};
  for (std::uint32_t i = 0; i <= state.current; ++i) {
    const std::uint32_t at = frame_insn(state, i);
    if (code_.insns[at].scc != 0) {
      key.scc = code_.insns[at].scc;
      return true;
    }
    if (i == state.current) break;
    key.callsites[key.depth++] = at;
  }
  return false;
}

Checker::LoopVisit* Checker::find_loop(const State& state) {
  if (loops_.empty()) return nullptr;
  LoopVisit key;
  if (!loop_key(state, key)) return nullptr;
  auto found = loops_by_scc_.find(key.scc);
  if (found == loops_by_scc_.end()) return nullptr;
  for (std::uint32_t index : found->second)
    if (loops_[index].depth == key.depth && loops_[index].callsites == key.callsites) return &loops_[index];
  return nullptr;
}

void Checker::enter_loop(State& state) {
  LoopVisit key;
  if (!loop_key(state, key)) return;
  LoopVisit* visit = find_loop(state);
  if (visit == nullptr) {
    loops_by_scc_[key.scc].push_back(static_cast<std::uint32_t>(loops_.size()));
    visit = &loops_.emplace_back(key);
  }
  if (visit->entry == nullptr) visit->entry = &state;
}

bool Checker::incomplete(const State& state) {
  const LoopVisit* visit = find_loop(state);
  return visit != nullptr && !visit->back_edges.empty();
}

void Checker::leave_loop(State& state) {
  LoopVisit* visit = find_loop(state);
  if (visit == nullptr || visit->entry != &state) return;
  bool changed = !visit->back_edges.empty();
  for (int round = 0; changed; ++round) {
    changed = false;
    for (State* edge : visit->back_edges) {
      if (round >= kMaxBackEdgeRounds) {
        mark_all_precise(*edge);
        continue;
      }
      propagate_liveness(*edge->equal, *edge);
      propagate_precision(*edge->equal, *edge, &changed);
    }
    if (round >= kMaxBackEdgeRounds) break;
  }
  for (State* edge : visit->back_edges) pool_.give_back(edge);
  open_edges_ -= visit->back_edges.size();
  visit->back_edges.clear();
  visit->entry = nullptr;
}

/// Forgets a kept state that helps nobody. Its memory stays while paths from it are open, or back edges may lead over it:
/// their marks go through it.
void Checker::retire(State& state) {
  --kept_count_;
  retired_.push_back(&state);
  if (open_edges_ != 0 || retired_.size() < 32) return;
  std::erase_if(retired_, [&](State* old) {
    if (old->branches != 0) return false;
    pool_.give_back(old);
    return true;
  });
}

void Checker::finish_branches(State* state) {
  while (state != nullptr) {
    if (--state->branches != 0) return;
    leave_loop(*state);
    state = state->parent;
  }
}

bool Checker::maybe_looping(const State& old, const State& now) const {
  if (old.current != now.current) return false;
  const Frame& a = old.frame();
  const Frame& b = now.frame();
  for (unsigned i = 0; i < isa::kRegisters; ++i) {
    if (!same_kind(a.regs[i], b.regs[i]) || !(a.regs[i].value == b.regs[i].value)) return false;
  }
  return true;
}

/// Do the iterators of both stand at different turns? Then going round is progress.
bool Checker::iterators_differ(const State& old, const State& now) const {
  for (std::uint32_t i = 0; i <= old.current; ++i) {
    const Frame& a = *old.frames[i];
    const Frame& b = *now.frames[i];
    for (unsigned slot = 0; slot < std::min(a.slots, b.slots); ++slot) {
      if (a.stack[slot].kinds[0] != SlotKind::iter || b.stack[slot].kinds[0] != SlotKind::iter) continue;
      if (a.stack[slot].reg.iter >> 16 != b.stack[slot].reg.iter >> 16) return true;
    }
  }
  return false;
}

// ---- the visit ----

/// Another function is about to be walked: no state of the last one covers any of its.
void Checker::forget_states() {
  for (auto& here : kept_)
    for (Kept& kept : here) pool_.give_back(kept.state);
  for (State* state : retired_) pool_.give_back(state);
  retired_.clear();
  kept_.assign(code_.size(), {});
  kept_count_ = 0;
  loops_.clear();
  loops_by_scc_.clear();
}

void Checker::keep_state() {
  State* kept = pool_.make();
  ++stats_.states;
  jumps_at_keep_ = jumps_;
  processed_at_keep_ = processed_;
  // Marks of precision belong to the states where they were made; what needs them again will make them again.
  if (capable_) mark_imprecise(*state_);
  clear_singular_ids(*state_);
  pool_.copy(*kept, *state_);
  kept->insn = insn_;
  kept->branches = 1;
  kept->cleaned = false;
  kept_[insn_].push_back({kept, state_->frame().callsite, 0, 0});
  enter_loop(*kept);
  state_->parent = kept;
  state_->first_insn = insn_;
  state_->depth = kept->depth + 1;
  state_->steps.clear();
  step_recorded_ = false;
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    frame.linked = true;
    for (unsigned slot = 0; slot < frame.slots; ++slot) frame.stack[slot].reg.live = 0;
  }
  for (std::uint32_t i = 0; i <= kept->current; ++i) {
    Frame& frame = *kept->frames[i];
    for (unsigned slot = 0; slot < frame.slots; ++slot) frame.stack[slot].reg.live &= kLiveWritten;
  }
  stats_.peak_states = std::max<std::uint64_t>(stats_.peak_states, ++kept_count_);
}

Checker::Visit Checker::visit_state() {
  const Insn& insn = code_.insns[insn_];
  const bool forced = insn.force_checkpoint || state_->steps.size() > kMaxStepsBetweenStates;
  bool add = forced || (jumps_ - jumps_at_keep_ >= 2 && processed_ - processed_at_keep_ >= 8);
  clean_states(insn_);
  auto& here = kept_[insn_];
  const std::uint32_t callsite = state_->frame().callsite;
  std::uint32_t seen = 0;
  for (std::size_t i = here.size(); i-- > 0;) {   // the newest first
    Kept& kept = here[i];
    ++seen;
    if (kept.callsite != callsite) continue;
    State& old = *kept.state;
    bool loop = false, covered = false;
    if (old.branches != 0) {
      const Frame& frame = old.frame();
      if (frame.in_async_callback && frame.async_entries != state_->frame().async_entries) {
        // another entry into the callback: neither an endless loop nor covered
      } else if (is_iter_next(insn_)) {
        if (covers(old, *state_, Exactness::range_within) && iterator_is_active(state_->frame().regs[1])) loop = covered = true;
      } else if (insn.op == isa::Operation::may_goto && old.may_goto_depth != state_->may_goto_depth &&
                 covers(old, *state_, Exactness::range_within)) {
        loop = covered = true;
      } else if (insn.calls_callback) {
        if (covers(old, *state_, Exactness::range_within)) loop = covered = true;
      } else if (maybe_looping(old, *state_) && covers(old, *state_, Exactness::exact) && !iterators_differ(old, *state_) &&
                 old.may_goto_depth == state_->may_goto_depth && old.callback_unroll_depth == state_->callback_unroll_depth) {
        reject(Rule::infinite_loop, "infinite loop detected at insn {}", insn_);
        return Visit::failed;
      }
      if (!covered) {
        // Inside a loop, states of each turn differ; keeping one for many instructions is enough.
        if (!forced && jumps_ - jumps_at_keep_ < 20 && processed_ - processed_at_keep_ < 100) add = false;
      }
    } else {
      loop = incomplete(old);
      covered = covers(old, *state_, loop ? Exactness::range_within : Exactness::not_exact);
    }
    if (covered) {
      ++kept.hits;
      if (insn.jump_point) push_step();
      propagate_liveness(old, *state_);
      if (!propagate_precision(old, *state_, nullptr)) return Visit::failed;
      if (loop) {
        if (LoopVisit* visit = find_loop(old)) {
          State* edge = pool_.make();
          pool_.copy(*edge, *state_);
          edge->equal = &old;
          edge->insn = insn_;
          visit->back_edges.push_back(edge);
          ++open_edges_;
        }
      }
      return Visit::covered;
    }
    if (add) ++kept.misses;
    const std::uint32_t patience = insn.force_checkpoint && old.branches != 0 ? 64 : 3;
    if (kept.misses > kept.hits * patience + patience) {
      retire(old);
      here.erase(here.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  stats_.max_states_per_insn = std::max(stats_.max_states_per_insn, seen);
  if (!capable_ && seen > kMaxUnprivilegedStates) return Visit::go_on;
  if (add) keep_state();
  return Visit::go_on;
}

}  // namespace espy::verifier
