// Register allocation: linear scan over live intervals with holes.
//
// The problem. Ten registers, of which a call leaves four (r6 … r9). Arguments must be in r1 … r5 and results come in
// r0, so most copies in the code are made only to meet the convention or because an operation changes its first operand;
// the art is to make them vanish, and to need the stack rarely.
//
// The idea: ir/registers/scan.hpp, with r6 … r9 last in the order of preference: those are for what lives across calls. What
// is spilled and can be made again by one instruction from nothing, is. Otherwise the code is rewritten: stores behind
// definitions, and loads that serve the uses up to the next call. What still does not fit is loaded for each use apart; such a
// register lives within one instruction, and always fits.
//
// What verifiers need. A stack slot is 8 aligned bytes and always written whole, so that the verifier keeps in it what it
// knows of a pointer, and of the copies that it holds of the same value: a check against null done on a register counts
// for the slot. Bounds of numbers it does not keep on all kernels, so registers that are compared weigh more.
#include "ir/bpf/allocate.hpp"

#include <algorithm>
#include <array>

#include "ir/registers/scan.hpp"

namespace espy::ir::bpf {
namespace {

constexpr unsigned kRounds = 12;
constexpr std::array<Reg, kAllocatable> kPreference{5, 4, 0, 3, 2, 1, 6, 7, 8, 9};

class Allocator {
 public:
  Allocator(MFunction& function, SpillState& state) : f_(function), state_(state), scan_(find_liveness(function), kPreference, state.spilling) {
    state_.spilling.resize(f_.next_reg, Spilling::none);
    state_.slot.resize(f_.next_reg, 0);
  }

  /// True: everything has a register. False: registers were spilled and the code rewritten.
  Result<bool> round() {
    weigh_compared();
    coalesce();
    if (f_.any_result) prefer_result();
    TRY(scan_.run());
    if (!scan_.spilled().empty()) {
      rename([&](Reg reg) { return scan_.root(reg); });
      spill();
      return false;
    }
    rename([&](Reg reg) { return scan_.assigned(reg); });
    return true;
  }

 private:
  /// Bounds of what is compared are better kept.
  void weigh_compared() {
    for (MBlockId id : f_.order)
      if (f_.blocks[id].taken != kNoMBlock) scan_.weigh(f_.insts[f_.blocks[id].end - 1].dst, 2);
  }

  /// Copies become none. Inner loops go first.
  void coalesce() {
    std::uint32_t deepest = 0;
    for (MBlockId id : f_.order) deepest = std::max(deepest, f_.blocks[id].depth);
    for (bool in_loops : {true, false}) {
      if (in_loops && deepest == 0) continue;
      for (MBlockId id : f_.order) {
        const MBlock& block = f_.blocks[id];
        if ((block.depth != 0) != in_loops) continue;
        for (std::uint32_t i = block.begin; i < block.end; ++i)
          if (f_.insts[i].has(kIsCopy) && f_.insts[i].dst != kFrame && f_.insts[i].src != kFrame) scan_.join(f_.insts[i].dst, f_.insts[i].src);
      }
    }
  }

  /// What decides about a way out goes through r0, which then holds a result there.
  void prefer_result() {
    for (MBlockId id : f_.order)
      if (f_.blocks[id].taken != kNoMBlock)
        if (Reg reg = f_.insts[f_.blocks[id].end - 1].dst; is_virtual(reg)) scan_.hint(scan_.root(reg), 0);
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
    for (Reg reg : scan_.spilled()) {
      // A register that stands for a slot must reach it: others read there.
      std::int32_t slot = state_.slot[reg];
      Spilled entry{.reg = reg, .offset = slot, .remake = slot == 0 ? remakes[reg] : -1, .each_use = state_.spilling[reg] == Spilling::short_lived};
      if (entry.offset == 0 && entry.remake < 0) {
        auto shared = std::ranges::find_if(slots, [&](const Slot& slot) {
          return std::ranges::none_of(slot.users, [&](Reg user) { return scan_.meet(user, reg); });
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
  registers::LinearScan scan_;
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
