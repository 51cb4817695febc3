#include "ir/registers/scan.hpp"

#include <algorithm>
#include <utility>

namespace espy::ir::registers {

bool overlap(std::span<const Segment> a, std::span<const Segment> b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (a.empty()) return false;
  // The longer list is entered where the shorter one begins.
  auto j = std::ranges::upper_bound(b, a.front().start, {}, &Segment::end);
  for (auto i = a.begin(); i != a.end() && j != b.end();) {
    if (i->end <= j->start)
      ++i;
    else if (j->end <= i->start)
      ++j;
    else
      return true;
  }
  return false;
}

LinearScan::LinearScan(Liveness live, std::span<const Reg> preference, const std::vector<Spilling>& spilling)
    : live_(std::move(live)), preference_(preference), spilling_(spilling) {
  const auto registers = static_cast<Reg>(live_.count.size());
  for (const Reg machine : preference_) usable_[machine] = true;
  intervals_.resize(registers);
  parent_.resize(registers);
  assigned_.assign(registers, kNoReg);
  for (Reg reg = 0; reg < registers; ++reg) {
    parent_[reg] = reg;
    intervals_[reg] = {.first = live_.first[reg], .count = live_.count[reg], .room = live_.count[reg], .weight = live_.weight[reg]};
    if (reg < spilling_.size() && spilling_[reg] == Spilling::shortest) intervals_[reg].weight = kNeverSpilled;
  }
}

// ---- coalescing -----------------------------------------------------------------------------------------------------

void LinearScan::join(Reg dst, Reg src) {
  if (is_machine(dst) || is_machine(src)) {
    if (!is_machine(dst)) hint(root(dst), src);
    if (!is_machine(src)) hint(root(src), dst);
    return;
  }
  const Reg a = root(dst), b = root(src);
  if (a == b || is_apart(a) || is_apart(b)) return;
  Interval& into = intervals_[a];
  Interval& from = intervals_[b];
  if (overlap(segments(into), segments(from))) return;
  merge_segments(into, from);
  into.weight += from.weight;
  for (const Reg reg : from.hints)
    if (reg != kNoReg) hint(a, reg);
  parent_[b] = a;
  from.count = 0;
}

/// Puts the segments of the shorter list into the longer one, whose room doubles when it is full.
void LinearScan::merge_segments(Interval& into, Interval& from) {
  if (into.count < from.count) {
    std::swap(into.first, from.first);
    std::swap(into.count, from.count);
    std::swap(into.room, from.room);
  }
  if (into.count + from.count > into.room) {
    into.room = std::max(8U, 2 * (into.count + from.count));
    const auto first = static_cast<std::uint32_t>(live_.segments.size());
    live_.segments.resize(first + into.room);
    std::copy_n(live_.segments.begin() + into.first, into.count, live_.segments.begin() + first);
    into.first = first;
  }
  for (std::uint32_t i = 0; i < from.count; ++i) {
    const Segment segment = live_.segments[from.first + i];
    Segment* begin = live_.segments.data() + into.first;
    Segment* end = begin + into.count;
    Segment* behind = std::upper_bound(begin, end, segment.start, [](std::uint32_t start, const Segment& s) { return start < s.start; });
    const bool joins_before = behind != begin && (behind - 1)->end == segment.start;
    const bool joins_behind = behind != end && behind->start == segment.end;
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

void LinearScan::hint(Reg reg, Reg machine) {
  std::array<Reg, 2>& hints = intervals_[reg].hints;
  if (machine >= kFirstVirtual || !usable_[machine] || hints[0] == machine || hints[1] == machine) return;
  (hints[0] == kNoReg ? hints[0] : hints[1]) = machine;
}

// ---- scanning -------------------------------------------------------------------------------------------------------

Result<void> LinearScan::run() {
  std::vector<std::uint64_t> by_start;   // where an interval starts, and its register
  by_start.reserve(intervals_.size());
  for (Reg reg = kFirstVirtual; reg < intervals_.size(); ++reg)
    if (intervals_[reg].count != 0) by_start.push_back(std::uint64_t{segments(intervals_[reg]).front().start} << 32 | reg);
  std::ranges::sort(by_start);
  for (const std::uint64_t next : by_start) {
    const auto reg = static_cast<Reg>(next);
    forget_until(static_cast<std::uint32_t>(next >> 32));
    if (const Reg machine = find_free(intervals_[reg]); machine != kNoReg) {
      take(reg, machine);
      continue;
    }
    if (!make_room(reg)) return fail(ErrorKind::exhausted, "an instruction needs more registers than there are");
  }
  return {};
}

void LinearScan::take(Reg reg, Reg machine) {
  assigned_[reg] = machine;
  held_[machine].push_back(reg);
}

/// Moves the cursors on, and lets go of what has ended.
void LinearScan::forget_until(std::uint32_t position) {
  for (const Reg machine : preference_) {
    Interval& fixed = intervals_[machine];
    while (fixed.cursor < fixed.count && segments(fixed)[fixed.cursor].end <= position) ++fixed.cursor;
    std::erase_if(held_[machine], [&](Reg reg) {
      Interval& interval = intervals_[reg];
      while (interval.cursor < interval.count && segments(interval)[interval.cursor].end <= position) ++interval.cursor;
      return interval.cursor == interval.count;
    });
  }
}

bool LinearScan::is_free(const Interval& interval, Reg machine) const {
  if (!convention_allows(interval, machine)) return false;
  return std::ranges::none_of(held_[machine], [&](Reg reg) { return overlap(segments(interval), rest(intervals_[reg])); });
}

Reg LinearScan::find_free(const Interval& interval) const {
  for (const Reg machine : interval.hints)
    if (machine != kNoReg && is_free(interval, machine)) return machine;
  for (const Reg machine : preference_)
    if (is_free(interval, machine)) return machine;
  return kNoReg;
}

float LinearScan::value_of(const Interval& interval) const {
  std::uint32_t length = 0;
  for (const Segment& segment : segments(interval)) length += segment.end - segment.start;
  return interval.weight / static_cast<float>(length + 8);
}

bool LinearScan::make_room(Reg reg) {
  Interval& interval = intervals_[reg];
  float cheapest = value_of(interval);
  Reg victim = kNoReg;
  for (Reg machine = 0; machine < kFirstVirtual; ++machine) {
    if (!usable_[machine] || !convention_allows(interval, machine)) continue;
    float cost = 0;
    for (const Reg held : held_[machine])
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

}  // namespace espy::ir::registers
