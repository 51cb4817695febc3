// Register allocation: linear scan over live intervals with holes.
//
// As the eBPF back end's, with fifteen registers, and instructions that read up to four and say which of the machine's they
// take besides (division: rax and rdx; calls: the arguments, and what they clobber). In steps that repeat until nothing is
// spilled:
//  1. Coalesce. A copy's two sides, and a result with the operand that the machine's instruction overwrites, become one
//     register if they are never wanted at the same time. Inner loops go first.
//  2. Scan. Intervals are taken by their start, and get the register that they are copied from or to if it is free, else one
//     that calls clobber, else one that this function must save.
//  3. Spill. If none is free, the least valuable in the way goes to the frame: it is loaded for each use and stored behind
//     each definition, by registers that live within one instruction and always fit. What one instruction makes from nothing
//     is made again instead.
#include "ir/x86/machine.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "ir/x86/liveness.hpp"

namespace espy::ir::x86 {
namespace {

constexpr unsigned kRounds = 16;
constexpr std::uint32_t kDeepest = 4;   // deeper loops are taken as so deep
constexpr float kNeverSpilled = std::numeric_limits<float>::infinity();
constexpr unsigned kMachineRegs = 16;
constexpr std::array<Reg, 15> kPreference{kRcx, kRsi, kRdi, kRax, kRdx, kR8, kR9, kR10, kR11, kRbx, kRbp, kR12, kR13, kR14, kR15};

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
  Allocator(MFunction& function, std::vector<bool>& short_lived) : f_(function), short_(short_lived), live_(find_liveness(function)) {}

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
    short_.resize(f_.next_reg, false);
    for (Reg reg = 0; reg < f_.next_reg; ++reg) {
      parent_[reg] = reg;
      intervals_[reg] = {.first = live_.first[reg],
                         .count = live_.count[reg], .room = live_.count[reg], .weight = live_.weight[reg]};
      if (short_[reg]) intervals_[reg].weight = kNeverSpilled;
    }
  }

  // ---- coalescing ---------------------------------------------------------------------------------------------------

  void coalesce() {
    std::uint32_t deepest = 0;
    for (const MBlock& block : f_.blocks) deepest = std::max(deepest, std::min(block.depth, kDeepest));
    for (std::uint32_t depth = deepest + 1; depth-- > 0;) {
      // Copies first: what is left of them is an instruction more; an operand that is not the result's often costs none.
      for (bool copies : {true, false})
        for (const MBlock& block : f_.blocks)
          if (std::min(block.depth, kDeepest) == depth) join_block(block, copies);
    }
  }

  void join_block(const MBlock& block, bool copies) {
    for (std::uint32_t i = block.begin; i < block.end; ++i) {
      const MInst& inst = f_.insts[i];
      if (inst.dst == kNoReg || inst.a == kNoReg || (inst.op == MOp::mov) != copies) continue;
      join(inst.dst, inst.a);
      if (commutes(inst.op) && inst.b != kNoReg) join(inst.dst, inst.b);
    }
  }

  static bool commutes(MOp op) { return op == MOp::add || op == MOp::and_ || op == MOp::or_ || op == MOp::xor_ || op == MOp::imul; }

  void join(Reg dst, Reg src) {
    if (!is_virtual(dst) || !is_virtual(src)) {
      if (is_virtual(dst)) hint(root(dst), src);
      if (is_virtual(src)) hint(root(src), dst);
      return;
    }
    Reg a = root(dst), b = root(src);
    // Registers that spilling made stay apart: they are short on purpose.
    if (a == b || short_[a] || short_[b]) return;
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
    for (Reg machine = 0; machine < kMachineRegs; ++machine) {
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
      if (machine != kNoReg && machine != kRsp && is_free(interval, machine)) return machine;
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
    for (Reg machine : kPreference) {
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
    for (MInst& inst : f_.insts)
      for (Reg* reg : {&inst.dst, &inst.a, &inst.b, &inst.base, &inst.index})
        if (is_virtual(*reg)) *reg = map(*reg);
  }

  /// Rewrites the code: what is spilled lives in the frame, but for the one instruction that reads or writes it.
  void spill() {
    find_remakes();
    slot_.assign(f_.next_reg, -1);
    for (Reg reg : spilled_) {
      slot_[reg] = 0;
      if (remake_[reg] >= 0) continue;
      slot_[reg] = static_cast<std::int32_t>(f_.frame_bytes);
      f_.frame_bytes += 8;
    }
    old_.swap(f_.insts);
    f_.insts.reserve(old_.size() + old_.size() / 4);
    for (MBlock& block : f_.blocks) {
      auto begin = static_cast<std::uint32_t>(f_.insts.size());
      for (std::uint32_t i = block.begin; i < block.end; ++i) rewrite(old_[i]);
      block.begin = begin;
      block.end = static_cast<std::uint32_t>(f_.insts.size());
    }
  }

  bool is_spilled(Reg reg) const { return is_virtual(reg) && reg < slot_.size() && slot_[reg] >= 0; }

  void rewrite(MInst inst) {
    if (inst.op == MOp::mov && inst.dst == inst.a) return;
    if (is_spilled(inst.dst) && remake_[inst.dst] >= 0) return;
    std::array<std::pair<Reg, Reg>, 4> loaded{};   // an instruction that reads one twice loads it once
    std::size_t count = 0;
    for (Reg* reg : {&inst.a, &inst.b, &inst.base, &inst.index}) {
      if (!is_spilled(*reg)) continue;
      auto end = loaded.begin() + count;
      auto have = std::find_if(loaded.begin(), end, [&](const auto& pair) { return pair.first == *reg; });
      if (have == end) loaded[count++] = {*reg, load(*reg, inst.mark)};
      *reg = have->second;
    }
    const Reg dst = inst.dst;
    if (is_spilled(dst)) inst.dst = fresh();
    f_.insts.push_back(inst);
    if (is_spilled(dst)) f_.insts.push_back({.op = MOp::store, .a = inst.dst, .base = kRsp, .disp = slot_[dst], .mark = inst.mark});
  }

  Reg fresh() {
    short_.push_back(true);
    return f_.next_reg++;
  }

  Reg load(Reg reg, Mark mark) {
    MInst made{.op = MOp::load, .base = kRsp, .disp = slot_[reg], .mark = mark};
    if (remake_[reg] >= 0) made = old_[static_cast<std::size_t>(remake_[reg])];
    made.dst = fresh();
    f_.insts.push_back(made);
    return made.dst;
  }

  /// By register: the one instruction that writes it, if it reads nothing; else -1.
  void find_remakes() {
    remake_.assign(f_.next_reg, -2);
    for (std::size_t i = 0; i < f_.insts.size(); ++i) {
      const MInst& inst = f_.insts[i];
      if (inst.dst == kNoReg) continue;
      const bool from_nothing = inst.op == MOp::mov_imm || (inst.op == MOp::lea && inst.base == kRsp && inst.index == kNoReg);
      remake_[inst.dst] = from_nothing && remake_[inst.dst] == -2 ? static_cast<std::int64_t>(i) : -1;
    }
    for (std::int64_t& remake : remake_) remake = std::max<std::int64_t>(remake, -1);
  }

  MFunction& f_;
  std::vector<bool>& short_;                               // by register: made by spilling
  Liveness live_;
  std::vector<Interval> intervals_;                        // by register; the machine's own are what the convention needs
  std::vector<Reg> parent_;                                // by register: what it was joined with
  std::vector<Reg> assigned_;                              // by register
  std::array<std::vector<Reg>, kMachineRegs> held_;        // by machine register: intervals that have not ended
  std::vector<Reg> spilled_;
  std::vector<std::int64_t> remake_;                       // by register
  std::vector<std::int32_t> slot_;                         // by register: where in the frame it lives; -1: not spilled
  std::vector<MInst> old_;
};

}  // namespace

Result<void> allocate(MFunction& function) {
  std::vector<bool> short_lived;
  for (unsigned i = 0; i < kRounds; ++i)
    if (TRY(Allocator(function, short_lived).round())) return {};
  return fail(ErrorKind::exhausted, "register allocation does not come to an end");
}

}  // namespace espy::ir::x86
