// Marks what is needed, from what has an effect backwards, and drops the rest. A block's parameter is needed if something
// needs it, and only then what edges give it: so values that circle in a loop for nothing go too.
#include <algorithm>

#include "ir/analysis/cfg.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

bool has_effect(const Inst& inst) {
  if (inst.terminator()) return true;
  if (has(inst.op, kCall)) return !inst.flag(kRemovable);
  if (inst.is(Op::load)) return inst.flag(kOrdered);
  return has(inst.op, kWrites);
}

class Marker {
 public:
  Marker(const Function& f, const Cfg& cfg) : f_(f), cfg_(cfg), live_(f.insts.size(), false) {}

  std::vector<bool> run() {
    for (BlockId block : cfg_.order())
      for (ValueId id : f_[block].insts)
        if (has_effect(f_[id])) need(id);
    while (!work_.empty()) {
      ValueId id = work_.back();
      work_.pop_back();
      if (f_[id].is(Op::param)) need_arguments(id);
      for (ValueId operand : f_.operands(id)) need(operand);
    }
    return std::move(live_);
  }

 private:
  void need(ValueId id) {
    if (live_[index_of(id)] || f_[id].leaf()) return;
    live_[index_of(id)] = true;
    work_.push_back(id);
  }
  void need_arguments(ValueId param) {
    BlockId block = f_[param].block;
    for (BlockId from : cfg_.predecessors(block))
      for (const Edge& edge : f_.successors(from))
        if (edge.to == block) need(f_.arguments(edge)[f_[param].extra]);
  }

  const Function& f_;
  const Cfg& cfg_;
  std::vector<bool> live_;
  std::vector<ValueId> work_;
};

/// Drops the parameters that are not live from a block, and from the edges to it what they were given.
void drop_params(Function& f, const Cfg& cfg, BlockId block, const std::vector<bool>& live) {
  for (BlockId from : cfg.predecessors(block))
    for (Edge& edge : f.successors(from)) {
      if (edge.to != block || edge.argument_count != f[block].params.size()) continue;   // done already
      std::span<ValueId> arguments = f.arguments(edge);
      std::uint32_t kept = 0;
      for (std::size_t i = 0; i < arguments.size(); ++i)
        if (live[index_of(f[block].params[i])]) arguments[kept++] = arguments[i];
      edge.argument_count = kept;
    }
  std::erase_if(f[block].params, [&](ValueId id) { return !live[index_of(id)]; });
  for (std::uint32_t i = 0; ValueId id : f[block].params) f[id].extra = i++;
}

}  // namespace

bool remove_dead(Function& f) {
  Cfg cfg(f);
  bool changed = std::erase_if(f.order, [&](BlockId block) { return !cfg.reached(block); }) != 0;
  std::vector<bool> live = Marker(f, cfg).run();
  auto dead = [&](ValueId id) { return !live[index_of(id)]; };
  for (BlockId block : f.order) {
    changed |= std::erase_if(f[block].insts, dead) != 0;
    if (block == f.entry() || std::ranges::none_of(f[block].params, dead)) continue;
    drop_params(f, cfg, block, live);
    changed = true;
  }
  return changed;
}

}  // namespace espy::ir
