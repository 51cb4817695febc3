// Loop-invariant motion: what a loop computes from nothing that changes in it is computed once, before it. Only pure
// instructions move, so nothing is lost if the loop never runs. Comparisons stay where the branch is that takes them, and
// so does what costs one instruction (unless asked for): eBPF has five registers that outlive a call, and a value in a
// spilled register costs as much as computing it again.
#include <algorithm>
#include <array>

#include "ir/analysis/cfg.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

bool expensive(Op op) {
  switch (op) {
    case Op::mul:
    case Op::udiv:
    case Op::sdiv:
    case Op::urem:
    case Op::srem: return true;
    default: return false;
  }
}

/// Does an edge lead back to this block from one that it dominates?
bool is_header(const Cfg& cfg, const Dominators& dominators, BlockId block) {
  return std::ranges::any_of(cfg.predecessors(block), [&](BlockId from) { return dominators.dominates(block, from); });
}

/// Gives each loop a block before it: the only one outside that leads to its header, and nowhere else.
void make_preheaders(Function& f) {
  Cfg cfg(f);
  Dominators dominators(cfg);
  for (BlockId header : cfg.order()) {
    if (!is_header(cfg, dominators, header)) continue;
    std::vector<BlockId> outside;
    for (BlockId from : cfg.predecessors(header))
      if (!dominators.dominates(header, from)) outside.push_back(from);
    if (outside.size() == 1 && f[f.terminator(outside[0])].is(Op::jump)) continue;
    BlockId before = f.add_block(false);
    f.order.insert(std::ranges::find(f.order, header), before);
    f[before].cold = f[header].cold;
    std::vector<ValueId> params;
    for (std::size_t i = 0; i < f[header].params.size(); ++i) params.push_back(f.add_param(before, f.type_of(f[header].params[i])));
    ValueId jump = f.add_inst({.op = Op::jump, .mark = f[f[header].insts.front()].mark, .block = before}, {});
    f[before].insts.push_back(jump);
    f.set_edges(f[jump], std::array{f.make_edge(header, params)});
    for (BlockId from : outside)
      for (Edge& edge : f.successors(from))
        if (edge.to == header) edge.to = before;
  }
}

class Hoister {
 public:
  Hoister(Function& f, const Options& options) : f_(f), options_(options), cfg_(f), dominators_(cfg_), loop_(f.blocks.size(), 0) {}

  bool run() {
    // Inner headers come later in this order than outer ones, and their loops are done first.
    for (std::size_t i = cfg_.order().size(); i-- > 0;)
      if (is_header(cfg_, dominators_, cfg_.order()[i])) loop(cfg_.order()[i]);
    return changed_;
  }

 private:
  void loop(BlockId header) {
    ++stamp_;
    std::vector<BlockId> members = {header}, work;
    loop_[index_of(header)] = stamp_;
    BlockId before = kNoBlock;
    auto enter = [&](BlockId block) {
      if (std::exchange(loop_[index_of(block)], stamp_) != stamp_) members.push_back(block), work.push_back(block);
    };
    for (BlockId from : cfg_.predecessors(header)) {
      if (dominators_.dominates(header, from)) enter(from);
      else before = from;
    }
    while (!work.empty()) {
      BlockId block = work.back();
      work.pop_back();
      for (BlockId from : cfg_.predecessors(block)) enter(from);
    }
    std::ranges::sort(members, {}, [&](BlockId block) { return cfg_.number(block); });
    hoist(members, before);
  }

  void hoist(const std::vector<BlockId>& members, BlockId before) {
    // Invariant: pure, of operands from outside or invariant. In an order in which operands come first.
    invariant_.resize(f_.insts.size(), 0);
    std::vector<ValueId> order;
    for (BlockId block : members)
      for (ValueId id : f_[block].insts)
        if (is_invariant(f_[id])) invariant_[index_of(id)] = stamp_, order.push_back(id);
    // Wanted: what is worth it, and what that needs.
    std::vector<ValueId> moved;
    wanted_.resize(f_.insts.size(), 0);
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      const Inst& inst = f_[*id];
      bool cheap_too = options_.hoist_cheap && !has(inst.op, kCompare);
      if (!cheap_too && !expensive(inst.op) && wanted_[index_of(*id)] != stamp_) continue;
      for (ValueId operand : f_.operands(inst)) wanted_[index_of(operand)] = stamp_;
      moved.push_back(*id);
    }
    if (moved.empty()) return;
    for (ValueId id : moved) std::erase(f_[f_[id].block].insts, id);
    std::vector<ValueId>& to = f_[before].insts;
    for (ValueId id : moved) f_[id].block = before;
    to.insert(to.end() - 1, moved.rbegin(), moved.rend());
    changed_ = true;
  }

  bool is_invariant(const Inst& inst) const {
    if (!has(inst.op, kPure)) return false;
    return std::ranges::all_of(f_.operands(inst), [&](ValueId id) {
      const Inst& operand = f_[id];
      return operand.leaf() || loop_[index_of(operand.block)] != stamp_ || invariant_[index_of(id)] == stamp_;
    });
  }

  Function& f_;
  const Options& options_;
  Cfg cfg_;
  Dominators dominators_;
  std::vector<std::uint32_t> loop_;         // by block: the last loop that it was found in
  std::vector<std::uint32_t> invariant_, wanted_;   // by value: the last loop for which it is
  std::uint32_t stamp_ = 0;
  bool changed_ = false;
};

}  // namespace

bool hoist_invariants(Function& f, const Options& options) {
  Cfg cfg(f);
  Dominators dominators(cfg);
  if (std::ranges::none_of(cfg.order(), [&](BlockId block) { return is_header(cfg, dominators, block); })) return false;
  std::erase_if(f.order, [&](BlockId block) { return !cfg.reached(block); });
  make_preheaders(f);
  return Hoister(f, options).run();
}

}  // namespace espy::ir
