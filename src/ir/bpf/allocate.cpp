// Register allocation: linear scan over live intervals with holes.
//
// The problem. Ten registers, of which a call leaves four (r6 … r9). Arguments must be in r1 … r5 and results come in
// r0, so most copies in the code are made only to meet the convention or because an operation changes its first operand;
// the art is to make them vanish, and to need the stack rarely.
//
// The idea, in three steps that repeat until nothing is spilled:
//  1. Coalesce. The two sides of a copy whose segments have no position in common become one register. This joins block
//     parameters with their arguments, and operands with the results that overwrite them. Inner loops go first.
//  2. Scan. Intervals are taken by their start. A machine register is free for an interval if neither what the
//     convention does with it (arguments, results, calls) nor the intervals that it holds already overlap any of the
//     segments: an interval with a hole shares its register with what lives in the hole. Of the free ones the hint is
//     taken, the register that the interval is copied from or to; else one that is the least likely to be another one's
//     hint, with r6 … r9 last: those are for what lives across calls.
//  3. Spill. If none is free, the least valuable (uses, tenfold for each loop, by length) of the interval and those in
//     its way goes to the stack. A value that one instruction makes from nothing is made again instead. Then the code is
//     rewritten: stores behind definitions, and loads that serve the uses up to the next call. What still does not fit
//     is loaded for each use apart; such a register lives within one instruction, and always fits.
//
// What verifiers need. A stack slot is 8 aligned bytes and always written whole, so that the verifier keeps in it what it
// knows of a pointer, and of the copies that it holds of the same value: a check against null done on a register counts
// for the slot. Bounds of numbers it does not keep on all kernels, so registers that are compared weigh more.
//
// Cost: linear in the instructions but for the test of an interval against those that a register holds, which are few.
#include "ir/bpf/allocate.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace espy::ir::bpf {
namespace {

constexpr unsigned kRounds = 12;
constexpr float kNeverSpilled = std::numeric_limits<float>::infinity();
constexpr std::array<Reg, kAllocatable> kPreference{5, 4, 0, 3, 2, 1, 6, 7, 8, 9};

/// A set of registers that share a place: one virtual register after coalescing.
struct Interval {
  std::uint32_t first = 0, count = 0;   // segments
  std::uint32_t room = 0;               // for so many of them
  float weight = 0;
  std::array<Reg, 2> hints{kNoReg, kNoReg};
  std::uint32_t cursor = 0;             // segments before it have ended
};

class Allocator {
 public:
  Allocator(MFunction& function, SpillState& state) : f_(function), state_(state), live_(find_liveness(function)) {}

  /// True: everything has a register. False: registers were spilled and the code rewritten.
  Result<bool> round() {
    make_intervals();
    coalesce();
    TRY(scan());
    if (!spilled_.empty()) {
      rename([&](Reg reg) { return root(reg); });
      spill();
      return false;
    }
    rename([&](Reg reg) { return assigned_[root(reg)]; });
    return true;
  }

 private:
  std::span<const Segment> segments(const Interval& interval) const {
    return {live_.segments.data() + interval.first, interval.count};
  }
  std::span<const Segment> rest(const Interval& interval) const { return segments(interval).subspan(interval.cursor); }
  std::uint32_t end_of(const Interval& interval) const { return segments(interval).back().end; }

  Reg root(Reg reg) {
    while (parent_[reg] != reg) reg = parent_[reg] = parent_[parent_[reg]];
    return reg;
  }

  void make_intervals() {
    intervals_.resize(f_.next_reg);
    parent_.resize(f_.next_reg);
    assigned_.assign(f_.next_reg, kNoReg);
    state_.level.resize(f_.next_reg, 0);
    state_.slot.resize(f_.next_reg, 0);
    for (Reg reg = 0; reg < f_.next_reg; ++reg) {
      parent_[reg] = reg;
      intervals_[reg] = {.first = live_.first[reg],
                         .count = live_.count[reg], .room = live_.count[reg], .weight = live_.weight[reg]};
      if (state_.level[reg] == 2) intervals_[reg].weight = kNeverSpilled;
    }
    for (MBlockId id : f_.order) {   // compared: its bounds are better kept
      const MBlock& block = f_.blocks[id];
      if (block.taken == kNoMBlock) continue;
      const MInst& jump = f_.insts[block.end - 1];
      intervals_[jump.dst].weight *= 2;
    }
  }

  // ---- coalescing ---------------------------------------------------------------------------------------------------

  void coalesce() {
    std::uint32_t deepest = 0;
    for (MBlockId id : f_.order) deepest = std::max(deepest, f_.blocks[id].depth);
    for (bool in_loops : {true, false}) {
      if (in_loops && deepest == 0) continue;
      for (MBlockId id : f_.order) {
        const MBlock& block = f_.blocks[id];
        if ((block.depth != 0) != in_loops) continue;
        for (std::uint32_t i = block.begin; i < block.end; ++i)
          if (f_.insts[i].has(kIsCopy)) join(f_.insts[i].dst, f_.insts[i].src);
      }
    }
  }

  void join(Reg dst, Reg src) {
    if (dst == kFrame || src == kFrame) return;
    if (!is_virtual(dst) || !is_virtual(src)) {
      if (is_virtual(dst)) hint(root(dst), src);
      if (is_virtual(src)) hint(root(src), dst);
      return;
    }
    Reg a = root(dst), b = root(src);
    // Registers that spilling made stay apart: they are short on purpose.
    if (a == b || state_.level[a] != 0 || state_.level[b] != 0) return;
    Interval& into = intervals_[a];
    Interval& from = intervals_[b];
    if (overlap(segments(into), segments(from))) return;
    merge_segments(into, from);
    into.weight += from.weight;
    for (Reg reg : from.hints) hint(a, reg);
    parent_[b] = a;
    from.count = 0;
  }

  /// Puts the segments of the shorter list into the longer one, whose room doubles when it is full.
  void merge_segments(Interval& into, Interval& from) {
    if (into.count < from.count) {
      std::swap(into.first, from.first);
      std::swap(into.count, from.count);
      std::swap(into.room, from.room);
    }
    if (into.count + from.count > into.room) {
      into.room = std::max(8U, 2 * (into.count + from.count));
      auto first = static_cast<std::uint32_t>(live_.segments.size());
      live_.segments.resize(first + into.room);
      std::copy_n(live_.segments.begin() + into.first, into.count, live_.segments.begin() + first);
      into.first = first;
    }
    for (std::uint32_t i = 0; i < from.count; ++i) {
      Segment segment = live_.segments[from.first + i];
      Segment* begin = live_.segments.data() + into.first;
      Segment* end = begin + into.count;
      Segment* behind = std::upper_bound(begin, end, segment.start, [](std::uint32_t start, const Segment& s) { return start < s.start; });
      bool joins_before = behind != begin && (behind - 1)->end == segment.start;
      bool joins_behind = behind != end && behind->start == segment.end;
      if (joins_before && joins_behind) {
        (behind - 1)->end = behind->end;
        std::copy(behind + 1, end, behind);
        --into.count;
      } else if (joins_before) {
        (behind - 1)->end = segment.end;
      } else if (joins_behind) {
        behind->start = segment.start;
      } else {
        std::copy_backward(behind, end, end + 1);
        *behind = segment;
        ++into.count;
      }
    }
  }

  void hint(Reg reg, Reg machine) {
    std::array<Reg, 2>& hints = intervals_[reg].hints;
    if (machine == kNoReg || hints[0] == machine || hints[1] == machine) return;
    (hints[0] == kNoReg ? hints[0] : hints[1]) = machine;
  }

  // ---- scanning -----------------------------------------------------------------------------------------------------

  Result<void> scan() {
    std::vector<std::uint64_t> by_start;   // where an interval starts, and its register
    by_start.reserve(f_.next_reg);
    for (Reg reg = kFirstVirtual; reg < f_.next_reg; ++reg)
      if (intervals_[reg].count != 0) by_start.push_back(std::uint64_t{segments(intervals_[reg]).front().start} << 32 | reg);
    std::ranges::sort(by_start);
    for (std::uint64_t next : by_start) {
      auto reg = static_cast<Reg>(next);
      forget_until(static_cast<std::uint32_t>(next >> 32));
      if (Reg machine = find_free(intervals_[reg]); machine != kNoReg) {
        take(reg, machine);
        continue;
      }
      if (!make_room(reg))
        return fail(ErrorKind::exhausted, "an instruction needs more registers than there are");
    }
    return {};
  }

  void take(Reg reg, Reg machine) {
    assigned_[reg] = machine;
    held_[machine].push_back(reg);
  }

  /// Moves the cursors on, and lets go of what has ended.
  void forget_until(std::uint32_t position) {
    for (Reg machine = 0; machine < kAllocatable; ++machine) {
      Interval& fixed = intervals_[machine];
      while (fixed.cursor < fixed.count && segments(fixed)[fixed.cursor].end <= position) ++fixed.cursor;
      std::erase_if(held_[machine], [&](Reg reg) {
        Interval& interval = intervals_[reg];
        while (interval.cursor < interval.count && segments(interval)[interval.cursor].end <= position) ++interval.cursor;
        return interval.cursor == interval.count;
      });
    }
  }

  bool convention_allows(const Interval& interval, Reg machine) const {
    return !overlap(segments(interval), rest(intervals_[machine]));
  }

  bool is_free(const Interval& interval, Reg machine) const {
    if (!convention_allows(interval, machine)) return false;
    return std::ranges::none_of(held_[machine], [&](Reg reg) { return overlap(segments(interval), rest(intervals_[reg])); });
  }

  Reg find_free(const Interval& interval) const {
    for (Reg machine : interval.hints)
      if (machine != kNoReg && is_free(interval, machine)) return machine;
    for (Reg machine : kPreference)
      if (is_free(interval, machine)) return machine;
    return kNoReg;
  }

  float value_of(const Interval& interval) const {
    std::uint32_t length = 0;
    for (const Segment& segment : segments(interval)) length += segment.end - segment.start;
    return interval.weight / static_cast<float>(length + 8);
  }

  bool make_room(Reg reg) {
    Interval& interval = intervals_[reg];
    float cheapest = value_of(interval);
    Reg victim = kNoReg;
    for (Reg machine = 0; machine < kAllocatable; ++machine) {
      if (!convention_allows(interval, machine)) continue;
      float cost = 0;
      for (Reg held : held_[machine])
        if (overlap(segments(interval), rest(intervals_[held]))) cost += value_of(intervals_[held]);
      if (cost < cheapest) {
        cheapest = cost;
        victim = machine;
      }
    }
    if (victim == kNoReg) {
      if (interval.weight == kNeverSpilled) return false;
      spilled_.push_back(reg);
      return true;
    }
    std::erase_if(held_[victim], [&](Reg held) {
      if (!overlap(segments(interval), rest(intervals_[held]))) return false;
      spilled_.push_back(held);
      return true;
    });
    take(reg, victim);
    return true;
  }

  // ---- results ------------------------------------------------------------------------------------------------------

  template <typename Map>
  void rename(Map map) {
    auto renamed = [&](Reg reg) { return is_virtual(reg) ? map(reg) : reg; };
    for (MInst& inst : f_.insts) {
      if (inst.has(kReadsDst) || inst.has(kWritesDst)) inst.dst = renamed(inst.dst);
      if (inst.has(kReadsSrc) || inst.has(kWritesSrc)) inst.src = renamed(inst.src);
    }
  }

  /// Gives what is spilled its place on the stack; those that are never live together share one.
  void spill() {
    std::vector<std::int64_t> remakes = find_remakes();
    struct Slot {
      std::int32_t offset;
      std::vector<Reg> users;
    };
    std::vector<Slot> slots;
    std::vector<Spilled> list;
    for (Reg reg : spilled_) {
      // A register that stands for a slot must reach it: others read there.
      std::int32_t slot = state_.slot[reg];
      Spilled entry{.reg = reg, .offset = slot, .remake = slot == 0 ? remakes[reg] : -1, .each_use = state_.level[reg] == 1};
      if (entry.offset == 0 && entry.remake < 0) {
        auto shared = std::ranges::find_if(slots, [&](const Slot& slot) {
          return std::ranges::none_of(slot.users, [&](Reg user) { return overlap(segments(intervals_[user]), segments(intervals_[reg])); });
        });
        if (shared == slots.end()) {
          f_.stack_bytes = (f_.stack_bytes + 15) / 8 * 8;
          slots.push_back({-static_cast<std::int32_t>(f_.stack_bytes), {}});
          shared = slots.end() - 1;
        }
        shared->users.push_back(reg);
        entry.offset = shared->offset;
      }
      list.push_back(entry);
    }
    insert_spills(f_, list, state_);
  }

  /// By register: the one instruction that writes it, if it reads nothing; else -1.
  std::vector<std::int64_t> find_remakes() {
    std::vector<std::int64_t> remakes(f_.next_reg, -2);
    for (std::size_t i = 0; i < f_.insts.size(); ++i) {
      const MInst& inst = f_.insts[i];
      if (inst.has(kWritesSrc)) remakes[inst.src] = -1;
      if (!inst.has(kWritesDst)) continue;
      bool from_nothing = !inst.has(kReadsDst) && !inst.has(kReadsSrc) && remakes[inst.dst] == -2;
      remakes[inst.dst] = from_nothing ? static_cast<std::int64_t>(i) : -1;
    }
    for (std::int64_t& remake : remakes) remake = std::max<std::int64_t>(remake, -1);
    return remakes;
  }

  MFunction& f_;
  SpillState& state_;
  Liveness live_;
  std::vector<Interval> intervals_;                        // by register; the machine's own are what the convention needs
  std::vector<Reg> parent_;                                // by register: what it was joined with
  std::vector<Reg> assigned_;                              // by register
  std::array<std::vector<Reg>, kAllocatable> held_;        // by machine register: intervals that have not ended
  std::vector<Reg> spilled_;
};

}  // namespace

Result<void> allocate(MFunction& function) {
  SpillState state;
  std::uint32_t own = function.stack_bytes;
  for (unsigned i = 0; i < kRounds; ++i) {
    if (!TRY(Allocator(function, state).round())) continue;
    if (i != 0) clean_spills(function, own);
    return {};
  }
  return fail(ErrorKind::exhausted, "register allocation does not come to an end");
}

}  // namespace espy::ir::bpf
