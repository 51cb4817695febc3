// Linear scan over live intervals with holes: what register allocation is for every machine. A back end says which registers
// would best be one, and which are in the machine; what does not fit it puts on its stack, and asks again.
//
//  1. Coalesce. The two sides of a copy whose segments have no position in common become one register: `join`.
//  2. Scan. Intervals are taken by their start. A machine register is free for an interval if neither what the convention does
//     with it (arguments, results, calls) nor the intervals that it holds already overlap any of the segments: an interval with
//     a hole shares its register with what lives in the hole. Of the free ones the hint is taken, the register that the interval
//     is copied from or to; else the first in the machine's order of preference.
//  3. If none is free, the least valuable (uses, tenfold for each loop, by length) of the interval and those in its way is
//     spilled.
//
// Cost: linear in the instructions but for the test of an interval against those that a register holds, which are few.
#pragma once

#include <array>
#include <limits>

#include "base/error.hpp"
#include "ir/registers/liveness.hpp"

namespace espy::ir::registers {

/// What spilling has done to a register: one of it may be spilled once more, or, as it lives within one instruction, never.
enum class Spilling : std::uint8_t { none, short_lived, shortest };

class LinearScan {
 public:
  /// `preference`: the machine's registers that may hold values, best first. `spilling`, by register: those that spilling made
  /// stay apart, they are short on purpose. Both must outlive it.
  LinearScan(Liveness live, std::span<const Reg> preference, const std::vector<Spilling>& spilling);

  void weigh(Reg reg, float factor) { intervals_[root(reg)].weight *= factor; }
  /// Makes two registers one if they can be, and one of the machine's the other's hint.
  void join(Reg dst, Reg src);
  void hint(Reg reg, Reg machine);

  /// Gives each register one of the machine's, or adds it to the spilled ones. Fails if one instruction needs too many.
  Result<void> run();

  Reg root(Reg reg) {
    while (parent_[reg] != reg) reg = parent_[reg] = parent_[parent_[reg]];
    return reg;
  }
  Reg assigned(Reg reg) { return assigned_[root(reg)]; }
  std::span<const Reg> spilled() const { return spilled_; }
  /// Are these two ever wanted at the same time?
  bool meet(Reg a, Reg b) const { return overlap(segments(intervals_[a]), segments(intervals_[b])); }

 private:
  /// A set of registers that share a place: one virtual register after coalescing.
  struct Interval {
    std::uint32_t first = 0, count = 0;   // segments
    std::uint32_t room = 0;               // for so many of them
    float weight = 0;
    std::array<Reg, 2> hints{kNoReg, kNoReg};
    std::uint32_t cursor = 0;             // segments before it have ended
  };
  static constexpr float kNeverSpilled = std::numeric_limits<float>::infinity();

  std::span<const Segment> segments(const Interval& interval) const { return {live_.segments.data() + interval.first, interval.count}; }
  std::span<const Segment> rest(const Interval& interval) const { return segments(interval).subspan(interval.cursor); }

  bool is_machine(Reg reg) const { return reg < kFirstVirtual; }
  bool is_apart(Reg reg) const { return reg < spilling_.size() && spilling_[reg] != Spilling::none; }
  void merge_segments(Interval& into, Interval& from);
  void take(Reg reg, Reg machine);
  void forget_until(std::uint32_t position);
  bool convention_allows(const Interval& interval, Reg machine) const { return !overlap(segments(interval), rest(intervals_[machine])); }
  bool is_free(const Interval& interval, Reg machine) const;
  Reg find_free(const Interval& interval) const;
  float value_of(const Interval& interval) const;
  bool make_room(Reg reg);

  Liveness live_;
  std::span<const Reg> preference_;
  const std::vector<Spilling>& spilling_;
  std::array<bool, kFirstVirtual> usable_{};               // by machine register: it is in the order of preference
  std::vector<Interval> intervals_;                        // by register; the machine's own are what the convention needs
  std::vector<Reg> parent_;                                // by register: what it was joined with
  std::vector<Reg> assigned_;                              // by register
  std::array<std::vector<Reg>, kFirstVirtual> held_;       // by machine register: intervals that have not ended
  std::vector<Reg> spilled_;
};

}  // namespace espy::ir::registers
