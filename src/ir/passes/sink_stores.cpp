// Stores to a slot that is read on one way out of a block only go that way: what fills a key that only an error path looks
// up costs nothing elsewhere. A store, zeroing or copy moves from a block's end to the beginning of the one successor in
// which the slot is still read, if no other block leads there, and if nothing behind it touches what it touches.
#include <algorithm>

#include "ir/analysis/slot_accesses.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

class Sinker {
 public:
  explicit Sinker(Function& f) : f_(f), cfg_(f), accesses_(f), live_(f, cfg_, accesses_) {}

  bool run() {
    bool changed = false;
    for (BlockId block : cfg_.order())
      if (f_.successors(block).size() > 1) changed |= sink(block);
    return changed;
  }

 private:
  /// Backwards, so that what depends on a later one is asked after it.
  bool sink(BlockId block) {
    touched_.assign(f_.slots.size(), false);
    written_.assign(f_.slots.size(), false);
    std::vector<ValueId>& insts = f_[block].insts;
    std::vector<std::pair<BlockId, ValueId>> moved;
    for (auto id = insts.rbegin() + 1; id != insts.rend(); ++id) {
      BlockId to = target(block, f_[*id]);
      if (to == kNoBlock) {
        touch(f_[*id]);
        continue;
      }
      moved.emplace_back(to, *id);
      accesses_.reads(f_[*id], [&](const SlotAccesses::Access& access) { live_.read(to, access.range.slot); });
    }
    for (const auto& [to, id] : moved) {
      std::erase(insts, id);
      f_[to].insts.insert(f_[to].insts.begin(), id);
      f_[id].block = to;
    }
    return !moved.empty();
  }

  void touch(const Inst& inst) {
    accesses_.reads(inst, [&](const SlotAccesses::Access& access) { touched_[access.range.slot] = true; });
    accesses_.writes(inst, [&](const SlotAccesses::Access& access) { touched_[access.range.slot] = written_[access.range.slot] = true; });
  }

  /// Where the instruction may go; kNoBlock: it stays.
  BlockId target(BlockId block, const Inst& inst) const {
    if ((!inst.is(Op::store) && !inst.is(Op::zero) && !inst.is(Op::copy)) || inst.flag(kOrdered)) return kNoBlock;
    std::uint32_t slot = kNoId;
    accesses_.writes(inst, [&](const SlotAccesses::Access& access) { slot = access.range.slot; });
    if (slot == kNoId || touched_[slot]) return kNoBlock;
    if (inst.is(Op::copy)) {
      std::uint32_t from = kNoId;
      accesses_.reads(inst, [&](const SlotAccesses::Access& access) { from = access.range.slot; });
      if (from == kNoId || written_[from]) return kNoBlock;   // other memory may change meanwhile
    }
    BlockId only = kNoBlock;
    for (const Edge& edge : f_.successors(block)) {
      if (!live_.in(edge.to, slot)) continue;
      if (only != kNoBlock || cfg_.predecessors(edge.to).size() != 1) return kNoBlock;
      only = edge.to;
    }
    return only;
  }

  Function& f_;
  Cfg cfg_;
  SlotAccesses accesses_;
  SlotLiveness live_;
  std::vector<bool> touched_, written_;   // by slot: by what stands behind in the block, and stays
};

}  // namespace

bool sink_stores(Function& f) {
  if (f.slots.empty()) return false;
  return Sinker(f).run();
}

}  // namespace espy::ir
