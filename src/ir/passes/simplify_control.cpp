// Control flow made plain, in rounds until nothing changes: terminators that are decided; edges that lead through a block
// that only leads on, to where it leads; parameters that are the same on all edges; blocks with one way in joined to where
// that comes from.
//
// A branch on `a and b` becomes two branches: verifiers learn from a branch on a comparison, but not from one on a number
// that was computed from two of them.
#include <algorithm>
#include <array>

#include "ir/analysis/cfg.hpp"
#include "ir/evaluate.hpp"
#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"
#include "ir/passes/thread.hpp"

namespace espy::ir {
namespace {

class Simplifier {
 public:
  explicit Simplifier(Function& f) : f_(f) {}

  bool run() {
    bool any = false;
    for (int round = 0; round < kRounds; ++round) {
      changed_ = false;
      for (std::size_t i = 0; i < f_.order.size(); ++i) terminator(f_.order[i]);
      remove_unreached();
      changed_ |= thread_edges(f_);
      remove_unreached();
      same_arguments();
      merge();
      if (!changed_) break;
      any = true;
    }
    return any;
  }

 private:
  static constexpr int kRounds = 8;

  // --- terminators

  void terminator(BlockId block) {
    for (bool again = true; again;) {
      Inst& last = f_[f_.terminator(block)];
      again = last.is(Op::branch) ? branch(block, last) : last.is(Op::switch_) && choose(last);
      changed_ |= again;
    }
  }

  void jump(Inst& last, Edge edge) {
    last.op = Op::jump;
    f_.set_operands(last, {});
    f_.set_edges(last, std::array{edge});
  }

  bool unreachable(BlockId block) const { return f_[f_[block].insts.front()].is(Op::unreachable); }
  bool same(const Edge& a, const Edge& b) const {
    return a.to == b.to && std::ranges::equal(f_.arguments(a), f_.arguments(b));
  }

  bool branch(BlockId block, Inst& last) {
    ValueId condition = f_.operands(last)[0];
    const Inst& decides = f_[condition];
    Edge yes = f_.edges_of(last)[0], no = f_.edges_of(last)[1];
    if (decides.is(Op::constant)) return jump(last, decides.imm != 0 ? yes : no), true;
    if (same(yes, no)) return jump(last, yes), true;
    if (unreachable(yes.to)) return jump(last, no), true;
    if (unreachable(no.to)) return jump(last, yes), true;
    if (decides.is(Op::not_)) {
      f_.set_operands(last, f_.operands(decides));
      f_.set_edges(last, std::array{no, yes});
      return true;
    }
    if (decides.is(Op::and_) || decides.is(Op::or_)) return split(block, condition), true;
    return false;
  }

  /// if (a and b) yes else no   →   if a then (if b yes else no) else no
  void split(BlockId block, ValueId condition) {
    ValueId first = f_.operand(condition, 0), second = f_.operand(condition, 1);
    bool both = f_[condition].is(Op::and_);
    ValueId last = f_.terminator(block);
    Mark mark = f_[last].mark;
    Edge yes = f_.edges_of(f_[last])[0], no = f_.edges_of(f_[last])[1];
    BlockId then = f_.add_block(false);
    f_.order.insert(std::ranges::find(f_.order, block) + 1, then);
    f_[then].cold = f_[block].cold;
    ValueId inner = f_.add_inst({.op = Op::branch, .mark = mark, .block = then}, std::array{second});
    f_[then].insts.push_back(inner);
    // Both branches need edges of their own, and arguments too: passes rewrite them in place.
    auto copy = [&](const Edge& edge) { return f_.make_edge(edge.to, f_.arguments(edge), edge.value); };
    f_.set_edges(f_[inner], std::array{copy(yes), copy(no)});
    f_.set_operands(f_[last], std::array{first});
    f_.set_edges(f_[last], both ? std::array{Edge{.to = then}, no} : std::array{yes, Edge{.to = then}});
  }

  bool choose(Inst& last) {
    const Inst& value = f_[f_.operands(last)[0]];
    std::span<Edge> edges = f_.edges_of(last);
    if (value.is(Op::constant)) {
      auto found = std::ranges::find(edges.first(edges.size() - 1), value.imm, &Edge::value);
      return jump(last, *found), true;
    }
    if (std::ranges::all_of(edges, [&](const Edge& edge) { return same(edge, edges.back()); }))
      return jump(last, edges.back()), true;
    return false;
  }

  // --- blocks

  /// Also says that a block which only cold ones lead to is cold, before edges are led past those.
  void remove_unreached() {
    Cfg cfg(f_);
    changed_ |= std::erase_if(f_.order, [&](BlockId block) { return !cfg.reached(block); }) != 0;
    for (BlockId block : cfg.order()) {
      std::span<const BlockId> from = cfg.predecessors(block);
      if (!from.empty() && std::ranges::all_of(from, [&](BlockId p) { return f_[p].cold; })) f_[block].cold = true;
    }
  }

  /// A parameter that is the same value (or itself) on every edge is that value.
  void same_arguments() {
    Cfg cfg(f_);
    Replacements replace;
    std::vector<bool> drop;
    for (BlockId block : cfg.order()) {
      if (block == f_.entry() || f_[block].params.empty()) continue;
      drop.assign(f_[block].params.size(), false);
      for (std::size_t i = 0; i < drop.size(); ++i) {
        ValueId only = common(cfg, block, i, replace);
        if (only == kNoValue) continue;
        replace.set(f_[block].params[i], only);
        drop[i] = true;
      }
      if (std::ranges::find(drop, true) != drop.end()) drop_params(cfg, block, drop);
    }
    changed_ |= replace.any();
    replace.apply(f_);
  }

  ValueId common(const Cfg& cfg, BlockId block, std::size_t i, const Replacements& replace) const {
    ValueId param = f_[block].params[i], only = kNoValue;
    for (BlockId from : cfg.predecessors(block))
      for (const Edge& edge : f_.successors(from)) {
        if (edge.to != block) continue;
        ValueId given = replace(f_.arguments(edge)[i]);
        if (given == param || given == only) continue;
        if (only != kNoValue) return kNoValue;
        only = given;
      }
    return only;
  }

  void drop_params(const Cfg& cfg, BlockId block, const std::vector<bool>& drop) {
    for (BlockId from : cfg.predecessors(block))
      for (Edge& edge : f_.successors(from)) {
        if (edge.to != block || edge.argument_count != drop.size()) continue;   // done already
        std::span<ValueId> arguments = f_.arguments(edge);
        std::uint32_t kept = 0;
        for (std::size_t i = 0; i < drop.size(); ++i)
          if (!drop[i]) arguments[kept++] = arguments[i];
        edge.argument_count = kept;
      }
    std::vector<ValueId>& params = f_[block].params;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < drop.size(); ++i)
      if (!drop[i]) f_[params[i]].extra = static_cast<std::uint32_t>(kept), params[kept++] = params[i];
    params.resize(kept);
  }

  /// Joins a block that ends in a jump with the block that it alone leads to.
  void merge() {
    Cfg cfg(f_);
    Replacements replace;
    std::vector<bool> gone(f_.blocks.size(), false);
    for (BlockId block : f_.order) {
      if (gone[index_of(block)]) continue;
      while (f_[f_.terminator(block)].is(Op::jump)) {
        const Edge edge = f_.successors(block)[0];
        if (edge.to == block || cfg.predecessors(edge.to).size() != 1) break;
        std::vector<ValueId>& insts = f_[block].insts;
        insts.pop_back();
        for (std::size_t i = 0; i < f_[edge.to].params.size(); ++i)
          replace.set(f_[edge.to].params[i], f_.arguments(edge)[i]);
        for (ValueId id : f_[edge.to].insts) f_[id].block = block, insts.push_back(id);
        f_[edge.to].insts.clear();
        f_[edge.to].params.clear();
        f_[block].cold = f_[block].cold && f_[edge.to].cold;
        gone[index_of(edge.to)] = true;
        changed_ = true;
      }
    }
    std::erase_if(f_.order, [&](BlockId block) { return gone[index_of(block)]; });
    replace.apply(f_);
  }

  Function& f_;
  bool changed_ = false;
};

}  // namespace

bool simplify_control(Function& function) { return Simplifier(function).run(); }

}  // namespace espy::ir
