// What instructions read and write of stack slots, and where slots are still read. Of slots that are not wild only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/analysis/cfg.hpp"
#include "ir/analysis/slots.hpp"
#include "ir/ir.hpp"

namespace espy::ir {

/// Bytes of a slot.
struct Range {
  std::uint32_t slot = kNoId;
  std::int64_t from = 0, to = 0;   // bytes; the end is not in it
  bool overlaps(const Range& other) const { return slot == other.slot && from < other.to && other.from < to; }
  bool covers(const Range& other) const { return slot == other.slot && from <= other.from && other.to <= to; }
};

/// What an instruction reads or writes of slots that are not wild. A range of a whole slot stands for "somewhere in it".
class SlotAccesses {
 public:
  explicit SlotAccesses(const Function& f) : f_(f), uses_(f) {}

  struct Access {
    Range range;
    bool exact = false;
  };

  template <typename Visit>
  void reads(const Inst& inst, Visit visit) const {
    std::span<const ValueId> in = f_.operands(inst);
    if (has(inst.op, kCall)) {
      for (ValueId id : in) emit(id, std::nullopt, visit);
    } else if (inst.is(Op::copy)) {
      emit(in[1], inst.imm, visit);
    } else if (has(inst.op, kReads) && has(inst.op, kHasOffset)) {
      emit(in[0], inst.width / 8, visit, inst.imm);
    }
  }
  template <typename Visit>
  void writes(const Inst& inst, Visit visit) const {
    std::span<const ValueId> in = f_.operands(inst);
    if (has(inst.op, kCall)) {
      if (!inst.flag(kReadsOnly))
        for (ValueId id : in) emit(id, std::nullopt, visit);
    } else if (inst.is(Op::copy) || inst.is(Op::zero)) {
      emit(in[0], inst.imm, visit);
    } else if (has(inst.op, kWrites) && has(inst.op, kHasOffset)) {
      emit(in[0], inst.width / 8, visit, inst.imm);
    }
  }

 private:
  static constexpr std::int64_t kFar = std::int64_t{1} << 40;

  template <typename Visit>
  void emit(ValueId pointer, std::optional<std::int64_t> size, Visit& visit, std::int64_t offset = 0) const {
    SlotAddress at = uses_.address(pointer);
    if (at.slot == kNoId) return;
    bool exact = at.offset && size && *at.offset > -kFar && *at.offset < kFar;
    std::int64_t from = exact ? *at.offset + offset : -2 * kFar;
    visit(Access{{at.slot, from, exact ? from + *size : 2 * kFar}, exact});
  }

  const Function& f_;
  SlotUses uses_;
};

/// A set of slots.
class SlotSet {
 public:
  explicit SlotSet(std::size_t slots) : words_((slots + 63) / 64, 0) {}
  bool has(std::uint32_t slot) const { return (words_[slot / 64] >> (slot % 64) & 1) != 0; }
  void add(std::uint32_t slot) { words_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
  /// Did it grow?
  bool add(const SlotSet& other) {
    std::uint64_t fresh = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      fresh |= other.words_[i] & ~words_[i];
      words_[i] |= other.words_[i];
    }
    return fresh != 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

/// Slots that are read at or after a place; what is stored in between is not looked at.
class SlotLiveness {
 public:
  SlotLiveness(const Function& f, const Cfg& cfg, const SlotAccesses& accesses) : f_(f), in_(f.blocks.size(), SlotSet(f.slots.size())) {
    for (BlockId block : cfg.order())
      for (ValueId id : f[block].insts)
        accesses.reads(f[id], [&](const SlotAccesses::Access& access) { in_[index_of(block)].add(access.range.slot); });
    for (bool changed = true; changed;) {
      changed = false;
      for (auto block = cfg.order().rbegin(); block != cfg.order().rend(); ++block)
        for (const Edge& edge : f.successors(*block)) changed |= in_[index_of(*block)].add(in_[index_of(edge.to)]);
    }
  }

  bool in(BlockId block, std::uint32_t slot) const { return in_[index_of(block)].has(slot); }
  SlotSet out(BlockId block) const {
    SlotSet out(f_.slots.size());
    for (const Edge& edge : f_.successors(block)) out.add(in_[index_of(edge.to)]);
    return out;
  }
  /// A read has moved to the beginning of this block.
  void read(BlockId block, std::uint32_t slot) { in_[index_of(block)].add(slot); }

 private:
  const Function& f_;
  std::vector<SlotSet> in_;   // by block
};

}  // namespace espy::ir
