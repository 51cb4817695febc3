// What slots hold, for those that cannot become values because a call is given their address.
//
// Forwards: a load of bytes that were just stored, or loaded, is what was stored. What is known goes on into a block that
// is entered by one edge only. Backwards: a store is dead if nothing reads the slot any more, or if all its bytes are
// stored again before anything reads them.
#include <algorithm>
#include <array>

#include "ir/analysis/cfg.hpp"
#include "ir/analysis/slots.hpp"
#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

struct Range {
  std::uint32_t slot = kNoId;
  std::int64_t from = 0, to = 0;   // bytes; the end is not in it
  bool overlaps(const Range& other) const { return slot == other.slot && from < other.to && other.from < to; }
  bool covers(const Range& other) const { return slot == other.slot && from <= other.from && other.to <= to; }
};

/// What an instruction reads or writes of slots that are not wild. A range of a whole slot stands for "somewhere in it".
class Accesses {
 public:
  explicit Accesses(const Function& f) : f_(f), uses_(f) {}

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

class Forwarder {
 public:
  Forwarder(Function& f, const Cfg& cfg, const Accesses& accesses) : f_(f), cfg_(cfg), accesses_(accesses), out_(f.blocks.size()) {}

  bool run() {
    for (BlockId block : cfg_.order()) visit(block);
    replace_.apply(f_);
    return changed_;
  }

 private:
  static constexpr std::size_t kMostKnown = 32;   // the oldest is forgotten

  struct Known {
    Range range;
    ValueId value{};   // its low bits are what the range holds
  };

  void visit(BlockId block) {
    known_.clear();
    std::span<const BlockId> from = cfg_.predecessors(block);
    if (from.size() == 1 && cfg_.number(from[0]) < cfg_.number(block)) known_ = out_[index_of(from[0])];
    std::vector<ValueId>& insts = f_[block].insts;
    std::size_t kept = 0;
    for (ValueId id : insts) {
      replace_.operands(f_, f_[id]);
      if (f_[id].is(Op::load) && !f_[id].flag(kOrdered) && forward(id)) {
        changed_ = true;
        continue;
      }
      insts[kept++] = id;
      record(id);
    }
    insts.resize(kept);
    out_[index_of(block)] = known_;
  }

  /// True: the load is gone, replaced. It may also have become an extension of the value.
  bool forward(ValueId id) {
    Inst& load = f_[id];
    const Known* found = nullptr;
    accesses_.reads(load, [&](const Accesses::Access& access) {
      if (!access.exact) return;
      for (const Known& known : known_)
        if (known.range.from == access.range.from && known.range.to == access.range.to && known.range.slot == access.range.slot)
          found = &known;
    });
    if (found == nullptr) return false;
    ValueId value = found->value;
    Type type = f_.type_of(value);
    if (load.width == 64) {
      if (type != load.type) return false;
      return replace_.set(id, value), true;
    }
    if (load.type == kI32 && load.width == 32 && type == kI32) return replace_.set(id, value), true;
    // Narrower: what the load would have extended.
    bool low_half = load.type == kI32 && load.width == 32;
    load.op = low_half ? Op::trunc : load.flag(kSigned) ? Op::sext : Op::zext;
    if (low_half) load.width = 0;
    load.flags = 0;
    load.imm = 0;
    f_.set_operands(load, std::array{value});
    changed_ = true;
    return false;
  }

  void record(ValueId id) {
    const Inst& inst = f_[id];
    if (!has(inst.op, kReads) && !has(inst.op, kWrites)) return;
    accesses_.writes(inst, [&](const Accesses::Access& access) {
      std::erase_if(known_, [&](const Known& known) { return known.range.overlaps(access.range); });
      if (access.exact && inst.is(Op::store)) remember({access.range, f_.operands(inst)[1]});
    });
    if (inst.is(Op::load))
      accesses_.reads(inst, [&](const Accesses::Access& access) {
        if (access.exact) remember({access.range, id});
      });
  }

  void remember(const Known& known) {
    if (known_.size() == kMostKnown) known_.erase(known_.begin());
    known_.push_back(known);
  }

  Function& f_;
  const Cfg& cfg_;
  const Accesses& accesses_;
  std::vector<std::vector<Known>> out_;   // by block
  std::vector<Known> known_;
  Replacements replace_;
  bool changed_ = false;
};

/// Removes dead stores and zeroings.
class Sweeper {
 public:
  Sweeper(Function& f, const Cfg& cfg, const Accesses& accesses)
      : f_(f), cfg_(cfg), accesses_(accesses), live_in_(f.blocks.size(), std::vector<bool>(f.slots.size(), false)) {}

  bool run() {
    find_live();
    bool changed = false;
    for (BlockId block : cfg_.order()) changed |= sweep(block);
    return changed;
  }

 private:
  static constexpr std::size_t kMostCovered = 64;   // ranges that are looked through at each store

  /// Slots that are read after a block begins; what is stored in between is not looked at.
  void find_live() {
    for (BlockId block : cfg_.order())
      for (ValueId id : f_[block].insts)
        accesses_.reads(f_[id], [&](const Accesses::Access& access) { live_in_[index_of(block)][access.range.slot] = true; });
    for (bool changed = true; changed;) {
      changed = false;
      for (auto block = cfg_.order().rbegin(); block != cfg_.order().rend(); ++block)
        for (std::uint32_t slot = 0; slot < f_.slots.size(); ++slot)
          if (!live_in_[index_of(*block)][slot] && live_out(*block, slot)) live_in_[index_of(*block)][slot] = true, changed = true;
    }
  }

  bool live_out(BlockId block, std::uint32_t slot) const {
    return std::ranges::any_of(f_.successors(block), [&](const Edge& edge) { return live_in_[index_of(edge.to)][slot]; });
  }

  bool sweep(BlockId block) {
    std::vector<bool> live(f_.slots.size());
    for (std::uint32_t slot = 0; slot < live.size(); ++slot) live[slot] = live_out(block, slot);
    std::vector<Range> covered;   // stored again, before anything reads it
    std::vector<ValueId>& insts = f_[block].insts;
    std::vector<ValueId> kept;
    for (auto id = insts.rbegin(); id != insts.rend(); ++id) {
      const Inst& inst = f_[*id];
      bool dead = false;
      if (inst.is(Op::store) || inst.is(Op::zero) || inst.is(Op::copy))
        accesses_.writes(inst, [&](const Accesses::Access& access) {
          dead = !live[access.range.slot];
          for (const Range& range : covered) dead |= access.exact && range.covers(access.range);
          if (!dead && access.exact && covered.size() < kMostCovered) covered.push_back(access.range);
        });
      if (dead) continue;
      accesses_.reads(inst, [&](const Accesses::Access& access) {
        live[access.range.slot] = true;
        std::erase_if(covered, [&](const Range& range) { return range.overlaps(access.range); });
      });
      kept.push_back(*id);
    }
    if (kept.size() == insts.size()) return false;
    insts.assign(kept.rbegin(), kept.rend());
    return true;
  }

  Function& f_;
  const Cfg& cfg_;
  const Accesses& accesses_;
  std::vector<std::vector<bool>> live_in_;   // by block, by slot
};

}  // namespace

bool forward_stores(Function& f) {
  if (f.slots.empty()) return false;
  Cfg cfg(f);
  Accesses accesses(f);
  bool changed = Forwarder(f, cfg, accesses).run();
  return Sweeper(f, cfg, accesses).run() || changed;
}

}  // namespace espy::ir
