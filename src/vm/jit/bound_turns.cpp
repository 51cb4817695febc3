#include "vm/jit/bound_turns.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "ir/x86/emit.hpp"

namespace espy::vm {
namespace {

using namespace ir;

void count_at(Function& f, BlockId block, std::int64_t instructions) {
  const ValueId amount = f.constant(kI64, instructions);
  const ValueId id = f.add_inst({.op = Op::call_helper, .block = block, .imm = x86::kCountTurns}, std::array{amount});
  f[block].insts.insert(f[block].insts.begin(), id);
}

/// Every circle of blocks has an edge that does not go forward in the layout: where those lead to is counted.
void bound(Function& f) {
  std::vector<std::size_t> place(f.blocks.size(), 0), size(f.blocks.size(), 0), turn(f.blocks.size(), 0);
  for (std::size_t i = 0; i < f.order.size(); ++i) place[index_of(f.order[i])] = i, size[i] = f[f.order[i]].insts.size();
  for (std::size_t i = 0; i < f.order.size(); ++i)
    for (const Edge& edge : f.successors(f.order[i])) {
      const std::size_t to = place[index_of(edge.to)];
      if (to > i) continue;
      std::size_t instructions = 1;
      for (std::size_t inside = to; inside <= i; ++inside) instructions += size[inside];
      turn[index_of(edge.to)] = std::max(turn[index_of(edge.to)], instructions);
    }
  for (BlockId block : f.order)
    if (turn[index_of(block)] != 0) count_at(f, block, static_cast<std::int64_t>(turn[index_of(block)]));
  if (f.role != Role::program && turn[index_of(f.entry())] == 0) count_at(f, f.entry(), static_cast<std::int64_t>(size[0]));
}

}  // namespace

void bound_turns(ir::Module& module) {
  for (Function& function : module.functions) bound(function);
}

}  // namespace espy::vm
