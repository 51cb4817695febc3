// Spill code.
#include <algorithm>

#include "ir/bpf/allocate.hpp"

namespace espy::ir::bpf {
namespace {

constexpr std::uint8_t kLoad64 = 0x79, kStore64 = 0x7b;

class Rewriter {
 public:
  Rewriter(MFunction& function, std::span<const Spilled> spilled, SpillState& state)
      : f_(function), spilled_(spilled), state_(state), entry_(function.next_reg, -1), current_(spilled.size(), kNoReg) {
    for (std::size_t i = 0; i < spilled.size(); ++i) entry_[spilled[i].reg] = static_cast<std::int32_t>(i);
  }

  void run() {
    old_.swap(f_.insts);
    f_.insts.reserve(old_.size() + old_.size() / 4);
    for (MBlockId id : f_.order) {
      MBlock& block = f_.blocks[id];
      auto begin = static_cast<std::uint32_t>(f_.insts.size());
      std::ranges::fill(current_, kNoReg);
      for (std::uint32_t i = block.begin; i < block.end; ++i) rewrite(old_[i], i);
      block.begin = begin;
      block.end = static_cast<std::uint32_t>(f_.insts.size());
    }
  }

 private:
  std::int32_t entry(Reg reg) const { return is_virtual(reg) && reg < entry_.size() ? entry_[reg] : -1; }

  void rewrite(MInst inst, std::uint32_t index) {
    if (inst.has(kIsCopy) && inst.dst == inst.src) return;
    bool uses_dst = inst.has(kReadsDst) || inst.has(kWritesDst), uses_src = inst.has(kReadsSrc) || inst.has(kWritesSrc);
    std::int32_t dst = uses_dst ? entry(inst.dst) : -1, src = uses_src ? entry(inst.src) : -1;
    if (inst.has(kIsCall)) std::ranges::fill(current_, kNoReg);
    if (dst < 0 && src < 0) {
      f_.insts.push_back(inst);
      return;
    }
    if (dst >= 0 && spilled_[dst].remake == index) return;   // made where it is used
    // The loads and stores of an earlier round go: this round makes its own.
    if (inst.opcode == kLoad64 && dst >= 0 && from_own_slot(inst.src, inst.off, dst)) return;
    if (inst.opcode == kStore64 && src >= 0 && from_own_slot(inst.dst, inst.off, src)) return;
    Reg new_src = src >= 0 ? holder(src, inst.has(kReadsSrc), inst.mark) : inst.src;
    Reg new_dst = dst >= 0 ? (dst == src ? new_src : holder(dst, inst.has(kReadsDst), inst.mark)) : inst.dst;
    if (dst >= 0 && dst == src && !inst.has(kReadsDst)) new_dst = new_src;
    if (uses_src) inst.src = new_src;
    if (uses_dst) inst.dst = new_dst;
    f_.insts.push_back(inst);
    if (dst >= 0 && inst.has(kWritesDst)) store(dst, new_dst, inst.mark);
    if (src >= 0 && inst.has(kWritesSrc)) store(src, new_src, inst.mark);
    for (std::int32_t which : {dst, src})
      if (which >= 0 && spilled_[which].each_use) current_[which] = kNoReg;
  }

  bool from_own_slot(Reg base, std::int16_t off, std::int32_t which) const {
    return base == kFrame && off == spilled_[which].offset && state_.spilling[spilled_[which].reg] == Spilling::short_lived;
  }

  /// The register that stands for a spilled one here; it is loaded if its value is wanted and not there yet.
  Reg holder(std::int32_t which, bool wanted, Mark mark) {
    if (wanted && current_[which] != kNoReg) return current_[which];
    const Spilled& spilled = spilled_[which];
    Reg reg = f_.next_reg++;
    state_.spilling.push_back(spilled.each_use ? Spilling::shortest : Spilling::short_lived);
    state_.slot.push_back(spilled.offset);
    if (wanted) {
      MInst load{.opcode = kLoad64, .effects = kWritesDst | kReadsSrc, .off = static_cast<std::int16_t>(spilled.offset),
                 .src = kFrame, .mark = mark};
      if (spilled.remake >= 0) load = old_[static_cast<std::size_t>(spilled.remake)];
      load.dst = reg;
      f_.insts.push_back(load);
    }
    return current_[which] = reg;
  }

  void store(std::int32_t which, Reg reg, Mark mark) {
    f_.insts.push_back({.opcode = kStore64, .effects = kReadsDst | kReadsSrc,
                        .off = static_cast<std::int16_t>(spilled_[which].offset), .dst = kFrame, .src = reg, .mark = mark});
  }

  MFunction& f_;
  std::span<const Spilled> spilled_;
  SpillState& state_;
  std::vector<std::int32_t> entry_;   // by register: its place in spilled_, or -1
  std::vector<Reg> current_;          // by place in spilled_: the register that holds its value now
  std::vector<MInst> old_;
};

/// Within one block at a time. Nothing but loads and stores of their own reaches the slots of spilled registers.
class Cleaner {
 public:
  Cleaner(MFunction& function, std::uint32_t own)
      : f_(function), own_(own), slots_((function.stack_bytes - own) / 8 + 1) {}

  void run() {
    for (MBlockId id : f_.order) {
      MBlock& block = f_.blocks[id];
      forward(block);
      backward(block);
    }
    compact();
  }

 private:
  static constexpr std::uint8_t kGone = 0;   // no instruction has this opcode

  /// Which spilled register's slot an instruction accesses; -1: none.
  int slot_of(const MInst& inst, std::uint8_t opcode, Reg base) const {
    if (inst.opcode != opcode || base != kFrame || inst.off >= -static_cast<std::int32_t>(own_)) return -1;
    return static_cast<int>((-inst.off - static_cast<std::int32_t>(own_) - 1) / 8);
  }

  void forget(Reg reg) {
    for (Reg& held : held_)
      if (held == reg) held = kNoReg;
  }

  void forward(const MBlock& block) {
    held_.assign(slots_, kNoReg);
    for (std::uint32_t i = block.begin; i < block.end; ++i) {
      MInst& inst = f_.insts[i];
      if (int slot = slot_of(inst, kStore64, inst.dst); slot >= 0) {
        Reg& held = held_[static_cast<std::size_t>(slot)];
        if (held == inst.src) inst.opcode = kGone;
        held = inst.src;
        continue;
      }
      if (int slot = slot_of(inst, kLoad64, inst.src); slot >= 0) {
        Reg held = held_[static_cast<std::size_t>(slot)];
        if (held == inst.dst) {
          inst.opcode = kGone;
          continue;
        }
        if (held != kNoReg)
          inst = {.opcode = std::to_underlying(Alu::mov) | class_alu(true) | kRegisterOperand,
                  .effects = kWritesDst | kReadsSrc | kIsCopy, .dst = inst.dst, .src = held, .mark = inst.mark};
        forget(inst.dst);
        if (held == kNoReg) held_[static_cast<std::size_t>(slot)] = inst.dst;
        continue;
      }
      if (inst.has(kIsCall))
        for (Reg reg = 0; reg < kClobbered; ++reg) forget(reg);
      if (inst.has(kWritesDst) && !(inst.has(kIsCopy) && inst.dst == inst.src)) forget(inst.dst);
      if (inst.has(kWritesSrc)) forget(inst.src);
      if (inst.has(kUsesR0)) forget(0);
    }
  }

  void backward(const MBlock& block) {
    std::vector<bool> overwritten(slots_, false);
    for (std::uint32_t i = block.end; i-- > block.begin;) {
      MInst& inst = f_.insts[i];
      if (int slot = slot_of(inst, kLoad64, inst.src); slot >= 0) overwritten[static_cast<std::size_t>(slot)] = false;
      if (int slot = slot_of(inst, kStore64, inst.dst); slot >= 0) {
        if (overwritten[static_cast<std::size_t>(slot)]) inst.opcode = kGone;
        overwritten[static_cast<std::size_t>(slot)] = true;
      }
    }
  }

  void compact() {
    std::uint32_t kept = 0;
    for (MBlockId id : f_.order) {
      MBlock& block = f_.blocks[id];
      std::uint32_t begin = kept;
      for (std::uint32_t i = block.begin; i < block.end; ++i)
        if (f_.insts[i].opcode != kGone) f_.insts[kept++] = f_.insts[i];
      block.begin = begin;
      block.end = kept;
    }
    f_.insts.resize(kept);
  }

  MFunction& f_;
  std::uint32_t own_;
  std::size_t slots_;
  std::vector<Reg> held_;   // by slot: a register with the same value
};

}  // namespace

void clean_spills(MFunction& function, std::uint32_t own) { Cleaner(function, own).run(); }

void insert_spills(MFunction& function, std::span<const Spilled> spilled, SpillState& state) {
  Rewriter(function, spilled, state).run();
}

}  // namespace espy::ir::bpf
