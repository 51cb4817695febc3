// What slots hold, for those that cannot become values because a call is given their address.
//
// Forwards: a load of bytes that were just stored, or loaded, is what was stored. What is known goes on into a block that
// is entered by one edge only. Backwards: a store is dead if nothing reads the slot any more, or if all its bytes are
// stored again before anything reads them.
#include <algorithm>
#include <array>

#include "ir/analysis/slot_accesses.hpp"
#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

class Forwarder {
 public:
  Forwarder(Function& f, const Cfg& cfg, const SlotAccesses& accesses) : f_(f), cfg_(cfg), accesses_(accesses), out_(f.blocks.size()) {}

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
    accesses_.reads(load, [&](const SlotAccesses::Access& access) {
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
    accesses_.writes(inst, [&](const SlotAccesses::Access& access) {
      std::erase_if(known_, [&](const Known& known) { return known.range.overlaps(access.range); });
      if (access.exact && inst.is(Op::store)) remember({access.range, f_.operands(inst)[1]});
    });
    if (inst.is(Op::load))
      accesses_.reads(inst, [&](const SlotAccesses::Access& access) {
        if (access.exact) remember({access.range, id});
      });
  }

  void remember(const Known& known) {
    if (known_.size() == kMostKnown) known_.erase(known_.begin());
    known_.push_back(known);
  }

  Function& f_;
  const Cfg& cfg_;
  const SlotAccesses& accesses_;
  std::vector<std::vector<Known>> out_;   // by block
  std::vector<Known> known_;
  Replacements replace_;
  bool changed_ = false;
};

/// Removes dead stores and zeroings.
class Sweeper {
 public:
  Sweeper(Function& f, const Cfg& cfg, const SlotAccesses& accesses)
      : f_(f), cfg_(cfg), accesses_(accesses), live_(f, cfg, accesses) {}

  bool run() {
    bool changed = false;
    for (BlockId block : cfg_.order()) changed |= sweep(block);
    return changed;
  }

 private:
  static constexpr std::size_t kMostCovered = 64;   // ranges that are looked through at each store

  bool sweep(BlockId block) {
    SlotSet live = live_.out(block);
    std::vector<Range> covered;   // stored again, before anything reads it
    std::vector<ValueId>& insts = f_[block].insts;
    std::vector<ValueId> kept;
    for (auto id = insts.rbegin(); id != insts.rend(); ++id) {
      const Inst& inst = f_[*id];
      bool dead = false;
      if (inst.is(Op::store) || inst.is(Op::zero) || inst.is(Op::copy))
        accesses_.writes(inst, [&](const SlotAccesses::Access& access) {
          dead = !live.has(access.range.slot);
          for (const Range& range : covered) dead |= access.exact && range.covers(access.range);
          if (!dead && access.exact && covered.size() < kMostCovered) covered.push_back(access.range);
        });
      if (dead) continue;
      accesses_.reads(inst, [&](const SlotAccesses::Access& access) {
        live.add(access.range.slot);
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
  const SlotAccesses& accesses_;
  SlotLiveness live_;
};

}  // namespace

bool forward_stores(Function& f) {
  if (f.slots.empty()) return false;
  Cfg cfg(f);
  SlotAccesses accesses(f);
  bool changed = Forwarder(f, cfg, accesses).run();
  return Sweeper(f, cfg, accesses).run() || changed;
}

}  // namespace espy::ir
