#include "ir/analysis/cfg.hpp"

#include <algorithm>

namespace espy::ir {

Cfg::Cfg(const Function& function) : number_(function.blocks.size(), kNoId), first_(function.blocks.size() + 1, 0) {
  post_order(function);
  std::ranges::reverse(order_);
  for (std::uint32_t i = 0; i < order_.size(); ++i) number_[index_of(order_[i])] = i;
  for (BlockId block : order_)
    for (const Edge& edge : function.successors(block)) ++first_[index_of(edge.to) + 1];
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  predecessors_.resize(first_.back());
  std::vector<std::uint32_t> at(first_.begin(), first_.end() - 1);
  for (BlockId block : order_)
    for (const Edge& edge : function.successors(block)) predecessors_[at[index_of(edge.to)]++] = block;
}

/// Edges are taken last first, so that a branch's first block comes soon after it. Rather than a recursion, a stack.
void Cfg::post_order(const Function& function) {
  struct Open {
    BlockId block;
    std::size_t left;   // edges that are still to be taken
  };
  std::vector<Open> stack;
  auto open = [&](BlockId block) {
    number_[index_of(block)] = 0;
    stack.push_back({block, function.successors(block).size()});
  };
  order_.reserve(function.order.size());
  open(function.entry());
  while (!stack.empty()) {
    Open& top = stack.back();
    if (top.left == 0) {
      order_.push_back(top.block);
      stack.pop_back();
      continue;
    }
    BlockId to = function.successors(top.block)[--top.left].to;
    if (!reached(to)) open(to);
  }
}

Dominators::Dominators(const Cfg& cfg) {
  std::span<const BlockId> order = cfg.order();
  // By place in reverse post-order, where a dominator's place is always lower.
  std::vector<std::uint32_t> parent(order.size(), kNoId);
  parent[0] = 0;
  auto meet = [&](std::uint32_t a, std::uint32_t b) {
    while (a != b) {
      while (a > b) a = parent[a];
      while (b > a) b = parent[b];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::uint32_t i = 1; i < order.size(); ++i) {
      std::uint32_t best = kNoId;
      for (BlockId block : cfg.predecessors(order[i])) {
        std::uint32_t p = cfg.number(block);
        if (parent[p] != kNoId) best = best == kNoId ? p : meet(p, best);
      }
      if (best != parent[i]) parent[i] = best, changed = true;
    }
  }
  std::uint32_t blocks = 0;
  for (BlockId block : order) blocks = std::max(blocks, index_of(block) + 1);
  parent_.assign(blocks, kNoBlock);
  for (std::uint32_t i = 0; i < order.size(); ++i) parent_[index_of(order[i])] = order[parent[i]];
  number(cfg);
}

void Dominators::number(const Cfg& cfg) {
  std::span<const BlockId> order = cfg.order();
  // Children as lists linked by sibling; the later in order ends up first, and is so popped last.
  std::vector<std::uint32_t> child(parent_.size(), kNoId), sibling(parent_.size(), kNoId);
  for (std::size_t i = 1; i < order.size(); ++i) {
    std::uint32_t block = index_of(order[i]), up = index_of(parent_[block]);
    sibling[block] = child[up];
    child[up] = block;
  }
  in_.assign(parent_.size(), 0);
  out_.assign(parent_.size(), 0);
  std::uint32_t clock = 0;
  std::vector<std::uint32_t> stack = {index_of(order[0])};
  std::vector<bool> entered(parent_.size(), false);
  while (!stack.empty()) {
    std::uint32_t block = stack.back();
    if (entered[block]) {
      out_[block] = clock++;
      stack.pop_back();
      continue;
    }
    entered[block] = true;
    in_[block] = clock++;
    preorder_.push_back(BlockId{block});
    for (std::uint32_t c = child[block]; c != kNoId; c = sibling[c]) stack.push_back(c);
  }
}

}  // namespace espy::ir
