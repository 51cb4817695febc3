// State: what is known at one point of one path: a frame for each active call, what the program holds (references, locks,
// protections), and the state's place in the tree of states.
//
// States are copied at every branch and kept wherever paths may meet, so their memory comes from a pool: a copy takes frames
// and stack slots of the same sizes from free lists, and only as many stack slots as the frame has touched.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "isa/insn.hpp"
#include "verifier/reg.hpp"

namespace espy::verifier {

inline constexpr unsigned kMaxFrames = 8;
inline constexpr unsigned kMaxSlots = isa::kStackBytes / 8;

enum class SlotKind : std::uint8_t { invalid, spill, misc, zero, dynptr, iter, irq_flag };

/// Eight bytes of stack. kinds[7] is the byte at the lowest address: bytes are counted down from r10, as slots are.
struct StackSlot {
  Reg reg = {};                              ///< spill: the register; dynptr, iter, irq_flag: what the slot is part of
  std::array<SlotKind, 8> kinds = {};

  bool is_spill() const { return kinds[7] == SlotKind::spill; }
  bool is_scalar_spill() const { return is_spill() && reg.is_scalar(); }
};

struct Frame {
  std::array<Reg, isa::kRegisters> regs = {};
  std::uint32_t callsite = 0;                ///< the instruction that called
  std::uint32_t frameno = 0;
  std::uint32_t subprog = 0;
  std::uint32_t async_entries = 0;           ///< tells frames of different asynchronous callbacks apart
  std::int32_t return_min = 0, return_max = 0;   ///< what a callback must return
  std::uint32_t callback_depth = 0;
  bool in_callback = false, in_async_callback = false, in_exception_callback = false;
  bool linked = false;                       ///< has a counterpart in the parent state (for liveness)
  std::uint16_t slots = 0;                   ///< touched so far: slot i is [r10 - 8(i+1), r10 - 8i)
  std::uint16_t capacity = 0;
  StackSlot* stack = nullptr;                ///< owned by the pool
};

enum class HoldKind : std::uint8_t { pointer, irq, lock, res_lock, res_lock_irq };
struct Hold {
  HoldKind kind{};
  std::uint32_t id = 0;
  std::uint32_t insn = 0;                    ///< where it was taken
  std::uint64_t object = 0;                  ///< locks: which map or object holds it
  friend bool operator==(const Hold&, const Hold&) = default;
};

/// One step of a path that the way back (precision.cpp) must know: a jump, or an access through a stack pointer.
struct Step {
  std::uint32_t insn = 0, previous = 0;
  std::uint8_t frame = 0, slot = 0;          ///< with stack_access
  bool stack_access = false;
  std::uint8_t pointers = 0;                 ///< comparisons: bit 0: the left operand is a pointer, bit 1: the right one
  /// Registers and spills that shared a scalar's id at a comparison: 6 of 10 bits each (linked()).
  std::uint64_t linked = 0;
};

struct State {
  std::array<Frame*, kMaxFrames> frames = {};
  std::uint32_t current = 0;                 ///< index of the active frame
  std::uint32_t insn = 0;
  std::vector<Hold> holds = {};
  std::uint32_t locks = 0, preempt_disabled = 0, active_irq = 0, lock_id = 0;
  std::uint64_t lock_object = 0;
  bool rcu = false, may_sleep = false, cleaned = false, speculative = false;
  std::uint32_t callback_unroll_depth = 0, may_goto_depth = 0, depth = 0;
  std::uint32_t first_insn = 0, last_insn = 0;

  State* parent = nullptr;
  std::uint32_t branches = 0;                ///< paths from here that have not ended
  State* equal = nullptr;                    ///< of a loop's back edge: the state that covered it
  std::vector<Step> steps = {};              ///< since the parent

  Frame& frame() { return *frames[current]; }
  const Frame& frame() const { return *frames[current]; }
  Reg& reg(unsigned number) { return frames[current]->regs[number]; }
};

/// Owns states, frames and stack slots; hands out and takes back. Pointers stay valid until given back or the pool ends.
class StatePool {
 public:
  StatePool() = default;
  StatePool(const StatePool&) = delete;
  StatePool& operator=(const StatePool&) = delete;

  State* make();
  void give_back(State* state);
  /// Makes `to` what `from` is, but for its place in the tree.
  void copy(State& to, const State& from);
  Frame* make_frame();
  void give_back(Frame* frame);
  /// Makes room for `slots` stack slots; new ones are invalid.
  void grow(Frame& frame, unsigned slots);

  std::size_t live_states() const { return live_states_; }
  std::size_t peak_states() const { return peak_states_; }
  std::size_t bytes() const { return bytes_; }   ///< taken from the system

 private:
  static constexpr std::array<std::uint16_t, 7> kCapacities = {2, 4, 8, 16, 24, 40, kMaxSlots};
  StackSlot* take_slots(unsigned wanted, std::uint16_t& capacity);
  void give_slots(StackSlot* slots, std::uint16_t capacity);
  void copy_frame(Frame& to, const Frame& from);
  void* take_chunk(std::size_t bytes);

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* chunk_ = nullptr;
  std::size_t chunk_left_ = 0, bytes_ = 0;
  std::vector<Frame*> free_frames_;
  std::array<std::vector<StackSlot*>, kCapacities.size()> free_slots_;
  std::vector<State*> free_states_;
  std::vector<std::unique_ptr<State>> states_;
  std::size_t live_states_ = 0, peak_states_ = 0;
};

}  // namespace espy::verifier
