// Values that stand for others, until all uses are rewritten in one go.
#pragma once

#include "ir/ir.hpp"

namespace espy::ir {

class Replacements {
 public:
  void set(ValueId from, ValueId to) {
    if (to_.size() <= index_of(from)) to_.resize(index_of(from) + 1, kNoValue);
    to_[index_of(from)] = to;
    any_ = true;
  }
  bool any() const { return any_; }
  /// What stands for it now, at the end of the chain.
  ValueId operator()(ValueId id) const {
    while (index_of(id) < to_.size() && to_[index_of(id)] != kNoValue) id = to_[index_of(id)];
    return id;
  }
  void operands(Function& f, Inst& inst) const {
    if (!any_) return;
    for (ValueId& id : f.operands(inst)) id = (*this)(id);
  }
  void arguments(Function& f, Inst& inst) const {
    if (!any_) return;
    for (Edge& edge : f.edges_of(inst))
      for (ValueId& id : f.arguments(edge)) id = (*this)(id);
  }
  /// Rewrites all uses in the blocks that are laid out.
  void apply(Function& f) const {
    if (!any_) return;
    for (BlockId block : f.order)
      for (ValueId id : f[block].insts) operands(f, f[id]), arguments(f, f[id]);
  }

 private:
  std::vector<ValueId> to_;
  bool any_ = false;
};

/// How often each value is used, by operands and edges of the blocks that are laid out.
inline std::vector<std::uint32_t> count_uses(const Function& f) {
  std::vector<std::uint32_t> uses(f.insts.size(), 0);
  for (BlockId block : f.order)
    for (ValueId id : f[block].insts) {
      for (ValueId operand : f.operands(id)) ++uses[index_of(operand)];
      for (const Edge& edge : f.edges_of(f[id]))
        for (ValueId argument : f.arguments(edge)) ++uses[index_of(argument)];
    }
  return uses;
}

}  // namespace espy::ir
