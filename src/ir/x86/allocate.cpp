// Register allocation: linear scan over live intervals with holes.
//
// ir/registers/scan.hpp with fifteen registers, and instructions that read up to four and say which of the machine's they
// take besides (division: rax and rdx; calls: the arguments, and what they clobber). Copies are coalesced, and results with the
// operands that the machine's instructions overwrite. Registers that calls clobber are preferred to those that this function
// must save. What is spilled goes to the frame: it is loaded for each use and stored behind each definition, by registers that
// live within one instruction and always fit. What one instruction makes from nothing is made again instead.
#include "ir/x86/machine.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "ir/registers/scan.hpp"
#include "ir/x86/liveness.hpp"

namespace espy::ir::x86 {
namespace {

constexpr unsigned kRounds = 16;
constexpr std::uint32_t kDeepest = 4;   // deeper loops are taken as so deep
constexpr std::array<Reg, 15> kPreference{kRcx, kRsi, kRdi, kRax, kRdx, kR8, kR9, kR10, kR11, kRbx, kRbp, kR12, kR13, kR14, kR15};

using registers::Spilling;

class Allocator {
 public:
  Allocator(MFunction& function, std::vector<Spilling>& spilling)
      : f_(function), spilling_(spilling), scan_(find_liveness(function), kPreference, spilling) {
    spilling_.resize(f_.next_reg, Spilling::none);
  }

  /// True: everything has a register. False: registers were spilled and the code rewritten.
  Result<bool> round() {
    coalesce();
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
      scan_.join(inst.dst, inst.a);
      if (commutes(inst.op) && inst.b != kNoReg) scan_.join(inst.dst, inst.b);
    }
  }

  static bool commutes(MOp op) { return op == MOp::add || op == MOp::and_ || op == MOp::or_ || op == MOp::xor_ || op == MOp::imul; }

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
    for (Reg reg : scan_.spilled()) {
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
    spilling_.push_back(Spilling::shortest);
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
  std::vector<Spilling>& spilling_;                        // by register
  registers::LinearScan scan_;
  std::vector<std::int64_t> remake_;                       // by register
  std::vector<std::int32_t> slot_;                         // by register: where in the frame it lives; -1: not spilled
  std::vector<MInst> old_;
};

}  // namespace

Result<void> allocate(MFunction& function) {
  std::vector<Spilling> spilling;
  for (unsigned i = 0; i < kRounds; ++i)
    if (TRY(Allocator(function, spilling).round())) return {};
  return fail(ErrorKind::exhausted, "register allocation does not come to an end");
}

}  // namespace espy::ir::x86
