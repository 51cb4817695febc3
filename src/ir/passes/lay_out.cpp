// Reverse post-order puts each block behind what leads to it, and the first successor of a branch right behind it. Cold
// blocks then go to the end, in the order they have; and so does what only cold blocks lead to.
#include <algorithm>

#include "ir/analysis/cfg.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {

void lay_out(Function& f) {
  Cfg cfg(f);
  f.order.assign(cfg.order().begin(), cfg.order().end());
  for (BlockId block : f.order) {
    std::span<const BlockId> from = cfg.predecessors(block);
    if (!from.empty() && std::ranges::all_of(from, [&](BlockId p) { return f[p].cold; })) f[block].cold = true;
  }
  std::stable_partition(f.order.begin() + 1, f.order.end(), [&](BlockId block) { return !f[block].cold; });
}

}  // namespace espy::ir
