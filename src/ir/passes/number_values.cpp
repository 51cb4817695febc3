// Global value numbering: a walk over the dominator tree with a table of the pure instructions seen on the way from the
// entry. An instruction that is in the table already is the one there. Loads flagged kInvariant take part.
//
// On the way into a block that is entered only by one edge of a branch, the branch's condition is known: where the same
// condition is branched on, selected by or computed with again below, it is that constant; and so is a number that was
// found equal to a constant, or chosen by a switch. So a second check for null of the same pointer goes, and the one that
// dominates it stays, as verifiers want it.
#include <algorithm>
#include <array>

#include "ir/analysis/cfg.hpp"
#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

class Numbering {
 public:
  explicit Numbering(Function& f) : f_(f), cfg_(f), dominators_(cfg_), known_(f.insts.size(), kNoValue) {
    std::size_t size = 64;
    while (size < f.insts.size()) size *= 2;
    heads_.assign(size, kNoId);
  }

  bool run() {
    std::erase_if(f_.order, [&](BlockId block) { return !cfg_.reached(block); });
    for (BlockId block : dominators_.preorder()) visit(block);
    replace_.apply(f_);
    return changed_;
  }

 private:
  struct Entry {
    BlockId block;          // that put it there
    ValueId id;
    std::uint32_t hash;
    std::uint32_t next;     // entry with the same hash; kNoId: none
  };
  struct Known {
    BlockId block;
    ValueId value;
  };

  void visit(BlockId block) {
    while (!entries_.empty() && !dominators_.dominates(entries_.back().block, block)) {
      heads_[entries_.back().hash & (heads_.size() - 1)] = entries_.back().next;
      entries_.pop_back();
    }
    while (!conditions_.empty() && !dominators_.dominates(conditions_.back().block, block)) {
      known_[index_of(conditions_.back().value)] = kNoValue;
      conditions_.pop_back();
    }
    learn(block);
    std::vector<ValueId>& insts = f_[block].insts;
    std::size_t kept = 0;
    for (ValueId id : insts) {
      replace_.operands(f_, f_[id]);
      replace_.arguments(f_, f_[id]);
      use_known(f_[id]);
      if (takes_part(f_[id]) && merge(block, id)) continue;
      insts[kept++] = id;
    }
    changed_ |= kept != insts.size();
    insts.resize(kept);
  }

  /// What the edge into this block says, if there is only one.
  void learn(BlockId block) {
    if (block == f_.entry() || cfg_.predecessors(block).size() != 1) return;
    const Inst& last = f_[f_.terminator(cfg_.predecessors(block)[0])];
    std::span<const Edge> edges = f_.edges_of(last);
    if (last.is(Op::branch)) {
      bool truth = edges[0].to == block;
      ValueId condition = f_.operands(last)[0];
      learn_equal(block, condition, truth);
      know(block, condition, kI1, truth ? 1 : 0);
    } else if (last.is(Op::switch_) && edges.back().to != block) {
      ValueId value = f_.operands(last)[0];
      know(block, value, f_.type_of(value), std::ranges::find(edges, block, &Edge::to)->value);
    }
  }

  void learn_equal(BlockId block, ValueId condition, bool truth) {
    const Inst& compare = f_[condition];
    if (!compare.is(truth ? Op::eq : Op::ne)) return;
    ValueId value = f_.operands(compare)[0], other = f_.operands(compare)[1];
    if (!f_.type_of(value).is_int()) return;
    if (const std::int64_t* c = f_.constant_value(other)) know(block, value, f_.type_of(value), *c);
  }

  void know(BlockId block, ValueId value, Type type, std::int64_t constant) {
    if (f_[value].leaf() || known_[index_of(value)] != kNoValue) return;
    known_[index_of(value)] = f_.constant(type, constant);
    conditions_.push_back({block, value});
  }

  void use_known(Inst& inst) {
    auto use = [&](std::span<ValueId> list) {
      for (ValueId& id : list)
        if (index_of(id) < known_.size() && known_[index_of(id)] != kNoValue) id = known_[index_of(id)], changed_ = true;
    };
    use(f_.operands(inst));
    for (Edge& edge : f_.edges_of(inst)) use(f_.arguments(edge));
  }

  bool takes_part(const Inst& inst) const { return has(inst.op, kPure) || (inst.is(Op::load) && inst.flag(kInvariant)); }

  bool merge(BlockId block, ValueId id) {
    std::uint32_t hash = hash_of(f_[id]);
    std::uint32_t& head = heads_[hash & (heads_.size() - 1)];
    for (std::uint32_t at = head; at != kNoId; at = entries_[at].next)
      if (entries_[at].hash == hash && same(f_[entries_[at].id], f_[id])) {
        replace_.set(id, entries_[at].id);
        return true;
      }
    entries_.push_back({block, id, hash, head});
    head = static_cast<std::uint32_t>(entries_.size() - 1);
    return false;
  }

  /// The operands, in an order that does not depend on how they were written.
  std::array<ValueId, 3> key(const Inst& inst) const {
    std::array<ValueId, 3> key = {kNoValue, kNoValue, kNoValue};
    std::span<const ValueId> operands = f_.operands(inst);
    for (std::size_t i = 0; i < operands.size(); ++i) key[i] = operands[i];
    if (has(inst.op, kCommutes) && key[1] < key[0]) std::swap(key[0], key[1]);
    return key;
  }
  std::uint32_t hash_of(const Inst& inst) const {
    std::uint64_t h = static_cast<std::uint64_t>(inst.op) << 24 | std::uint64_t{inst.width} << 16 |
                      std::uint64_t(std::to_underlying(inst.type.kind)) << 8 | std::to_underlying(inst.type.space);
    for (ValueId id : key(inst)) h = (h ^ index_of(id)) * 0x9e3779b97f4a7c15, h ^= h >> 29;
    h = (h ^ static_cast<std::uint64_t>(inst.imm)) * 0x9e3779b97f4a7c15;
    return static_cast<std::uint32_t>(h >> 32);
  }
  bool same(const Inst& a, const Inst& b) const {
    return a.op == b.op && a.type == b.type && a.width == b.width && a.flags == b.flags && a.imm == b.imm && key(a) == key(b);
  }

  Function& f_;
  Cfg cfg_;
  Dominators dominators_;
  std::vector<std::uint32_t> heads_;    // by hash: the newest entry
  std::vector<Entry> entries_;
  std::vector<ValueId> known_;          // by value: the constant that it is, here
  std::vector<Known> conditions_;
  Replacements replace_;
  bool changed_ = false;
};

}  // namespace

bool number_values(Function& function) { return Numbering(function).run(); }

}  // namespace espy::ir
