// Calls of the program's own functions. A static function is followed in its caller's context, with a frame of its own. A
// global one is judged once, alone, by what its BTF says of its arguments; a call of it only checks that these are given.
#include "verifier/checker.hpp"

namespace espy::verifier {

bool Checker::enter_subprogram(std::uint32_t number, std::uint32_t callsite) {
  if (state_->current + 1 >= kMaxFrames) return reject(Rule::call_depth, "the call stack of {} frames is too deep", state_->current + 2);
  Frame* callee = pool_.make_frame();
  callee->frameno = state_->current + 1;
  callee->callsite = callsite;
  callee->subprog = number;
  callee->async_entries = state_->frame().async_entries;
  callee->regs[isa::kFramePointer] = Reg::pointer(RegType::stack);
  callee->regs[isa::kFramePointer].frame = callee->frameno;
  state_->frames[callee->frameno] = callee;
  return true;
}

Checker::Next Checker::call_subprogram(const Insn& insn) {
  const int number = code_.subprogram_at(insn.target);
  if (number < 0) {
    reject(Rule::bad_jump, "verifier bug: no program starts at insn {}", insn.target);
    return Next::failed;
  }
  const Subprogram& subprogram = code_.subprograms[static_cast<std::size_t>(number)];
  Frame& caller = state_->frame();
  if (subprogram.is_global) {
    if (state_->locks != 0) {
      reject(Rule::lock_held, "global function calls are not allowed while holding a lock, use static function instead");
      return Next::failed;
    }
    if (subprogram.might_sleep && (state_->rcu || state_->preempt_disabled != 0 || state_->active_irq != 0 || !in_sleepable())) {
      reject(Rule::sleepable, "global functions that may sleep are not allowed in non-sleepable context");
      return Next::failed;
    }
    if (!check_global_arguments(static_cast<std::uint32_t>(number), false)) {
      if (failed_) failure_.says += fmt::format("\nCaller passes invalid args into func#{} ('{}')", number, subprogram.name);
      return Next::failed;
    }
    global_called_[static_cast<std::size_t>(number)] = true;
    if (subprogram.changes_packet) forget_packet();
    for (unsigned reg = 0; reg <= 5; ++reg) caller.regs[reg] = Reg{};
    set_unknown(caller.regs[0]);
    insn_ += 1;
    return Next::go_on;
  }
  if (state_->locks != 0 && !profile_.has(Behaviour::locked_functions)) {
    reject(Rule::lock_held, "function calls are not allowed while holding a lock");
    return Next::failed;
  }
  if (!enter_subprogram(static_cast<std::uint32_t>(number), insn_)) return Next::failed;
  Frame& callee = *state_->frames[state_->current + 1];
  for (unsigned reg = 1; reg <= 5; ++reg) callee.regs[reg] = caller.regs[reg];
  for (unsigned reg = 0; reg <= 5; ++reg) caller.regs[reg] = Reg{};
  ++state_->current;
  insn_ = insn.target;
  return Next::go_on;
}

bool Checker::leave_subprogram() {
  Frame& callee = state_->frame();
  Frame& caller = *state_->frames[state_->current - 1];
  Reg& result = callee.regs[0];
  if (result.type == RegType::stack) return reject_reg(Rule::pointer_leak, 0, "cannot return stack pointer to the caller");
  const bool callback = callee.in_callback;
  if (callback) {
    if (!result.is_scalar()) return reject_reg(Rule::return_value, 0, "R0 not a scalar value");
    if (!need_precise(0)) return false;
    if (result.value.smin < callee.return_min || result.value.smax > callee.return_max) return reject_range(result, callee.return_min, callee.return_max, "At callback return", "R0");
  } else {
    const std::uint8_t live = caller.regs[0].live;
    caller.regs[0] = result;
    caller.regs[0].live = live;
  }
  const std::uint32_t callsite = callee.callsite;
  insn_ = callback ? callsite : callsite + 1;
  pool_.give_back(state_->frames[state_->current]);
  state_->frames[state_->current] = nullptr;
  --state_->current;
  if (callback) {
    // The call is judged again, now after one more turn; numbers that differ from the last turn and decide nothing are blurred.
    if (State* before = previous_turn(*state_, callsite)) widen(*before, *state_);
  }
  return true;
}

/// The state of the last turn: kept at this instruction under the same calls, and still on the way to `now`.
State* Checker::previous_turn(const State& now, std::uint32_t insn) {
  const auto& here = kept_[insn];
  for (std::size_t n = here.size(); n-- > 0;) {
    State& state = *here[n].state;
    if (state.branches == 0 || state.depth >= now.depth || state.current != now.current) continue;
    bool same_calls = true;
    for (std::uint32_t i = 0; i <= state.current && same_calls; ++i) same_calls = state.frames[i]->callsite == now.frames[i]->callsite;
    if (same_calls) return &state;
  }
  return nullptr;
}

// ---- callbacks ----

bool Checker::set_callback_arguments(Frame& caller, Frame& callee, CallMeta& meta) {
  constexpr std::int32_t kForEachMapElem = 164, kTimerSetCallback = 170, kFindVma = 180, kLoop = 181, kDrain = 209;
  const auto pass = [&](unsigned to, unsigned from) { callee.regs[to] = caller.regs[from]; };
  const auto of_map = [&](unsigned to, RegType type, std::uint32_t map) {
    callee.regs[to] = Reg::pointer(type);
    callee.regs[to].map = map;
  };
  callee.return_min = 0;
  callee.return_max = 1;
  if (meta.kfunc != nullptr && meta.graph_root != nullptr) {
    // Two nodes of a tree, to be compared.
    for (unsigned reg = 1; reg <= 2; ++reg) {
      callee.regs[reg] = Reg::pointer(RegType::btf, kAlloc | kNonOwning);
      callee.regs[reg].btf = meta.graph_root->btf;
      callee.regs[reg].type_id = static_cast<std::uint32_t>(meta.graph_root->type);
      callee.regs[reg].off = static_cast<std::int32_t>(meta.graph_root->node_offset);
      callee.regs[reg].id = new_id();
    }
    callee.in_callback = true;
    return true;
  }
  if (meta.kfunc != nullptr && meta.map) {
    // Work to be done later, on an element of a map.
    of_map(1, RegType::map_ptr, *meta.map);
    of_map(2, RegType::map_key, *meta.map);
    of_map(3, RegType::map_value, *meta.map);
    callee.regs[1].map_uid = callee.regs[3].map_uid = meta.map_uid;
    callee.return_max = 0;
    callee.in_async_callback = true;
    return true;
  }
  switch (meta.helper) {
    case kForEachMapElem:
      pass(1, 1);
      of_map(2, RegType::map_key, caller.regs[1].map);
      of_map(3, RegType::map_value, caller.regs[1].map);
      if (maps_[caller.regs[1].map].record->has_lock()) callee.regs[3].id = new_id();
      pass(4, 3);
      break;
    case kLoop:
      set_unknown(callee.regs[1]);
      pass(2, 3);
      break;
    case kTimerSetCallback:
      of_map(1, RegType::map_ptr, caller.regs[1].map);
      of_map(2, RegType::map_key, caller.regs[1].map);
      of_map(3, RegType::map_value, caller.regs[1].map);
      callee.regs[1].map_uid = callee.regs[3].map_uid = caller.regs[1].map_uid;
      callee.return_max = 0;
      callee.in_async_callback = true;
      return true;
    case kFindVma: {
      pass(1, 1);
      callee.regs[2] = Reg::pointer(RegType::btf);
      const auto vma = types_.kernel_struct("vm_area_struct");
      if (!vma) return reject(Rule::missing_btf, "btf_id of vm_area_struct is not known");
      callee.regs[2].type_id = static_cast<std::uint32_t>(*vma);
      pass(3, 4);
      break;
    }
    case kDrain:
      callee.regs[1] = Reg::pointer(RegType::dynptr);
      callee.regs[1].dynptr = DynptrType::local;
      callee.regs[1].id = new_id();
      pass(2, 3);
      break;
    default: return reject(Rule::callback, "verifier bug: helper {} calls nothing back", meta.helper);
  }
  callee.in_callback = true;
  return true;
}

/// The helper may call the function any number of times: one path goes into it and comes back to the call, another goes on.
bool Checker::call_back(CallMeta& meta, bool asynchronous) {
  Subprogram& subprogram = code_.subprograms[meta.subprog];
  subprogram.is_callback = true;
  const std::uint32_t callsite = insn_;
  if (asynchronous) {
    subprogram.is_async_callback = true;
    State* later = push(subprogram.start, callsite);
    if (later == nullptr) return false;
    for (std::uint32_t i = 0; i < kMaxFrames; ++i) {
      pool_.give_back(later->frames[i]);
      later->frames[i] = nullptr;
    }
    later->current = 0;
    later->holds.clear();
    later->locks = later->preempt_disabled = later->active_irq = later->lock_id = 0;
    later->lock_object = 0;
    later->rcu = false;
    later->may_sleep = meta.kfunc != nullptr;
    // It begins on its own: nothing before it belongs to its path.
    if (later->parent != nullptr) --later->parent->branches;
    later->parent = nullptr;
    later->branches = 1;
    later->steps.clear();
    later->first_insn = subprogram.start;
    later->depth = 0;
    Frame* frame = later->frames[0] = pool_.make_frame();
    frame->subprog = meta.subprog;
    frame->callsite = ~std::uint32_t{0};
    frame->async_entries = state_->frame().async_entries + 1;
    frame->regs[isa::kFramePointer] = Reg::pointer(RegType::stack);
    pending_.back().previous = ~std::uint32_t{0};
    return set_callback_arguments(state_->frame(), *frame, meta);
  }
  State* body = push(subprogram.start, callsite);
  if (body == nullptr) return false;
  State* here = state_;
  state_ = body;
  const bool entered = enter_subprogram(meta.subprog, callsite);
  state_ = here;
  if (!entered) return false;
  Frame& caller = *body->frames[body->current];
  Frame& callee = *body->frames[body->current + 1];
  if (!set_callback_arguments(caller, callee, meta)) return false;
  ++body->current;
  ++body->callback_unroll_depth;
  ++body->frames[body->current - 1]->callback_depth;
  here->frame().callback_depth = 0;
  return true;
}

}  // namespace espy::verifier
