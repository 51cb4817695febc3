#include "verifier/state.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace espy::verifier {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

}  // namespace

void* StatePool::take_chunk(std::size_t bytes) {
  bytes = (bytes + 15) & ~std::size_t{15};
  if (bytes > chunk_left_) {
    // The first chunk is small: most programs need no more.
    const std::size_t wanted = chunks_.empty() ? kChunkBytes / 4 : kChunkBytes;
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(wanted));
    chunk_ = chunks_.back().get();
    chunk_left_ = wanted;
    bytes_ += wanted;
  }
  void* taken = chunk_;
  chunk_ += bytes;
  chunk_left_ -= bytes;
  return taken;
}

StackSlot* StatePool::take_slots(unsigned wanted, std::uint16_t& capacity) {
  if (wanted == 0) {
    capacity = 0;
    return nullptr;
  }
  std::size_t size = 0;
  while (kCapacities[size] < wanted) ++size;
  capacity = kCapacities[size];
  auto& free = free_slots_[size];
  if (!free.empty()) {
    StackSlot* slots = free.back();
    free.pop_back();
    return slots;
  }
  return static_cast<StackSlot*>(take_chunk(sizeof(StackSlot) * capacity));
}

void StatePool::give_slots(StackSlot* slots, std::uint16_t capacity) {
  if (slots == nullptr) return;
  std::size_t size = 0;
  while (kCapacities[size] < capacity) ++size;
  free_slots_[size].push_back(slots);
}

Frame* StatePool::make_frame() {
  Frame* frame = nullptr;
  if (!free_frames_.empty()) {
    frame = free_frames_.back();
    free_frames_.pop_back();
  } else {
    frame = static_cast<Frame*>(take_chunk(sizeof(Frame)));
  }
  return new (frame) Frame{};
}

void StatePool::give_back(Frame* frame) {
  if (frame == nullptr) return;
  give_slots(frame->stack, frame->capacity);
  frame->stack = nullptr;
  free_frames_.push_back(frame);
}

void StatePool::grow(Frame& frame, unsigned slots) {
  if (slots <= frame.slots) return;
  if (slots > frame.capacity) {
    std::uint16_t capacity = 0;
    StackSlot* grown = take_slots(slots, capacity);
    if (frame.slots != 0) std::memcpy(static_cast<void*>(grown), frame.stack, sizeof(StackSlot) * frame.slots);
    give_slots(frame.stack, frame.capacity);
    frame.stack = grown;
    frame.capacity = capacity;
  }
  for (unsigned i = frame.slots; i < slots; ++i) new (&frame.stack[i]) StackSlot{};
  frame.slots = static_cast<std::uint16_t>(slots);
}

void StatePool::copy_frame(Frame& to, const Frame& from) {
  StackSlot* stack = to.stack;
  std::uint16_t capacity = to.capacity;
  if (capacity < from.slots) {
    give_slots(stack, capacity);
    stack = take_slots(from.slots, capacity);
  }
  std::memcpy(static_cast<void*>(&to), &from, sizeof(Frame));
  to.stack = stack;
  to.capacity = capacity;
  if (from.slots != 0) std::memcpy(static_cast<void*>(stack), from.stack, sizeof(StackSlot) * from.slots);
}

State* StatePool::make() {
  State* state = nullptr;
  if (!free_states_.empty()) {
    state = free_states_.back();
    free_states_.pop_back();
  } else {
    states_.push_back(std::make_unique<State>());
    state = states_.back().get();
  }
  peak_states_ = std::max(peak_states_, ++live_states_);
  return state;
}

void StatePool::give_back(State* state) {
  for (Frame*& frame : state->frames) {
    give_back(frame);
    frame = nullptr;
  }
  // The vectors keep their memory where it is small: states are reused all the time.
  std::vector<Hold> holds = std::move(state->holds);
  std::vector<Step> steps = std::move(state->steps);
  *state = State{};
  holds.clear();
  steps.clear();
  state->holds = std::move(holds);
  if (steps.capacity() <= 64) state->steps = std::move(steps);
  free_states_.push_back(state);
  --live_states_;
}

void StatePool::copy(State& to, const State& from) {
  for (std::uint32_t i = from.current + 1; i < kMaxFrames; ++i) {
    give_back(to.frames[i]);
    to.frames[i] = nullptr;
  }
  for (std::uint32_t i = 0; i <= from.current; ++i) {
    if (to.frames[i] == nullptr) to.frames[i] = make_frame();
    copy_frame(*to.frames[i], *from.frames[i]);
  }
  to.current = from.current;
  to.insn = from.insn;
  to.holds.assign(from.holds.begin(), from.holds.end());
  to.locks = from.locks;
  to.preempt_disabled = from.preempt_disabled;
  to.active_irq = from.active_irq;
  to.lock_id = from.lock_id;
  to.lock_object = from.lock_object;
  to.rcu = from.rcu;
  to.may_sleep = from.may_sleep;
  to.cleaned = from.cleaned;
  to.speculative = from.speculative;
  to.callback_unroll_depth = from.callback_unroll_depth;
  to.may_goto_depth = from.may_goto_depth;
  to.depth = from.depth;
  to.first_insn = from.first_insn;
  to.last_insn = from.last_insn;
  to.parent = from.parent;
  to.branches = from.branches;
  to.equal = from.equal;
  to.steps.assign(from.steps.begin(), from.steps.end());
}

}  // namespace espy::verifier
