#include "vm/jit/context_use.hpp"

#include <algorithm>

namespace espy::vm {
namespace {

using ir::Op;

/// The value that an address is a constant distance from.
ir::ValueId base_of(const ir::Function& f, ir::ValueId id, std::int64_t& distance) {
  for (int i = 0; i < 64; ++i) {
    const ir::Inst& inst = f[id];
    if (inst.is(Op::ptr_to_int) || inst.is(Op::int_to_ptr) || inst.is(Op::ptr_cast)) {
      id = f.operand(id, 0);
    } else if (inst.is(Op::ptr_add) || (inst.is(Op::add) && inst.type == ir::kI64)) {
      const std::int64_t* by = f.constant_value(f.operand(id, 1));
      if (by == nullptr) return id;
      distance += *by;
      id = f.operand(id, 0);
    } else {
      return id;
    }
  }
  return id;
}

}  // namespace

std::uint32_t context_bytes(const ir::Function& program) {
  if (program.params().empty()) return 0;
  const ir::ValueId context = program.params()[0];
  constexpr std::int64_t kMost = 1 << 20;
  std::int64_t end = 0;
  for (ir::BlockId block : program.order)
    for (ir::ValueId id : program[block].insts) {
      const ir::Inst& inst = program[id];
      if (!ir::has(inst.op, ir::kHasOffset) || inst.width == 0 || inst.is(Op::copy) || inst.is(Op::zero)) continue;
      std::int64_t at = inst.imm;
      if (base_of(program, program.operand(id, 0), at) == context) end = std::max(end, at + inst.width / 8);
    }
  return static_cast<std::uint32_t>(std::min(end, kMost));
}

}  // namespace espy::vm
