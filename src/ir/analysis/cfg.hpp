// The shape of a function: which blocks are reached, in which order, from where, and what dominates what. Computed when
// asked for; a pass that changes edges computes it again.
#pragma once

#include <span>
#include <vector>

#include "ir/ir.hpp"

namespace espy::ir {

/// Reachable blocks in reverse post-order, and the predecessors of each (one entry an edge).
class Cfg {
 public:
  explicit Cfg(const Function& function);

  std::span<const BlockId> order() const { return order_; }   ///< the entry first
  bool reached(BlockId block) const { return number_[index_of(block)] != kNoId; }
  /// Its place in `order`; unreachable blocks have none: kNoId.
  std::uint32_t number(BlockId block) const { return number_[index_of(block)]; }
  std::span<const BlockId> predecessors(BlockId block) const {
    return {predecessors_.data() + first_[index_of(block)], first_[index_of(block) + 1] - first_[index_of(block)]};
  }

 private:
  void post_order(const Function& function);

  std::vector<BlockId> order_;
  std::vector<std::uint32_t> number_;
  std::vector<std::uint32_t> first_;   // by block: where its predecessors begin
  std::vector<BlockId> predecessors_;
};

/// The dominator tree (Cooper, Harvey and Kennedy's algorithm).
class Dominators {
 public:
  explicit Dominators(const Cfg& cfg);

  /// The immediate dominator; of the entry: the entry.
  BlockId parent(BlockId block) const { return parent_[index_of(block)]; }
  /// Does every way to `b` lead over `a`? A block dominates itself. Both must be reachable.
  bool dominates(BlockId a, BlockId b) const {
    return in_[index_of(a)] <= in_[index_of(b)] && out_[index_of(b)] <= out_[index_of(a)];
  }
  /// Blocks in pre-order of the tree: parents before children.
  std::span<const BlockId> preorder() const { return preorder_; }

 private:
  void number(const Cfg& cfg);

  std::vector<BlockId> parent_;
  std::vector<BlockId> preorder_;
  std::vector<std::uint32_t> in_, out_;   // by block: when a walk over the tree enters and leaves it
};

}  // namespace espy::ir
