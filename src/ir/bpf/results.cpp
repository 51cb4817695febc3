// Results that nobody looks at. Verifiers refuse an exit with nothing in r0, but any number or pointer will do where the
// kernel throws the result away, and mostly there is one: of a call, of a load whose value decided about the way out.
//
// r0 holds something at a point if it does on every way that leads there: a greatest fixed point over the blocks.
#include <algorithm>

#include "facts/prototypes.hpp"
#include "ir/bpf/layout.hpp"
#include "isa/insn.hpp"

namespace espy::ir::bpf {
namespace {

/// What a call leaves in r0: helpers may return nothing, and of the kernel's own functions it is not known here.
bool gives_result(const MInst& call) {
  switch (static_cast<isa::CallKind>(call.src)) {
    case isa::CallKind::subprogram: return true;
    case isa::CallKind::helper: {
      const auto id = static_cast<std::size_t>(call.imm);
      return id < facts::prototypes().size() && facts::prototypes()[id].returns != facts::Return::nothing;
    }
    default: return false;
  }
}

bool holds_behind(const MFunction& f, std::uint32_t begin, std::uint32_t end, bool holds) {
  for (std::uint32_t i = begin; i < end; ++i) {
    const MInst& inst = f.insts[i];
    if (inst.has(kIsCall)) holds = gives_result(inst);
    else if ((inst.has(kWritesDst) && inst.dst == 0) || (inst.has(kWritesSrc) && inst.src == 0) || inst.has(kUsesR0)) holds = true;
  }
  return holds;
}

}  // namespace

void drop_results(MFunction& f) {
  std::vector<bool> holds(f.blocks.size(), true);   // when a block begins
  holds[f.order.front()] = false;
  for (bool changed = true; changed;) {
    changed = false;
    for (const MBlockId id : f.order) {
      const MBlock& block = f.blocks[id];
      if (holds_behind(f, block.begin, block.end, holds[id])) continue;
      for (const MBlockId to : {block.taken, block.next}) {
        if (to == kNoMBlock || !holds[to]) continue;
        holds[to] = false;
        changed = true;
      }
    }
  }
  for (const MBlockId id : f.order) {
    const MBlock& block = f.blocks[id];
    if (block.end - block.begin < 2 || !f.insts[block.end - 1].has(kIsExit)) continue;
    MInst& result = f.insts[block.end - 2];
    const bool is_result = result.dst == 0 && result.has(kWritesDst) && !result.has(kReadsDst) && !result.has(kIsWide);
    if (!is_result || !holds_behind(f, block.begin, block.end - 2, holds[id])) continue;
    // A copy to itself is no code.
    result = {.opcode = 0xbf, .effects = kReadsDst | kWritesDst | kReadsSrc | kIsCopy, .mark = result.mark};
  }
}

}  // namespace espy::ir::bpf
