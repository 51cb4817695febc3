#include "ir/x86/select.hpp"

#include <algorithm>
#include <array>

namespace espy::ir::x86 {
namespace {

bool fits32(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

/// Loops stand together in the layout: what lies between a block and one that jumps back to it is in its loop.
void find_depths(MFunction& function) {
  std::vector<std::int32_t> change(function.blocks.size() + 1, 0);
  for (std::uint32_t i = 0; i < function.blocks.size(); ++i) {
    for (MBlockId to : {function.blocks[i].taken, function.blocks[i].next}) {
      if (to == kNoMBlock || to > i || function.blocks[i].aside_of != kNoMBlock) continue;
      ++change[to];
      --change[i + 1];
    }
  }
  std::int32_t depth = 0;
  for (std::uint32_t i = 0; i < function.blocks.size(); ++i) function.blocks[i].depth = static_cast<std::uint32_t>(depth += change[i]);
  for (MBlock& block : function.blocks)
    if (block.aside_of != kNoMBlock) block.depth = function.blocks[block.aside_of].depth;
}

}  // namespace

Cond inverse(Cond cond) {
  constexpr std::array kInverse = {Cond::ne, Cond::e, Cond::ae, Cond::a, Cond::be, Cond::b, Cond::ge, Cond::g, Cond::le, Cond::l};
  return kInverse[std::to_underlying(cond)];
}

Result<MFunction> Selector::run() {
  for (const Slot& slot : f_.slots) {
    slots_.push_back(out_.frame_bytes);
    out_.frame_bytes += (slot.size + 7) / 8 * 8;
  }
  numbers_ = static_cast<MBlockId>(f_.blocks.size());
  placed_.assign(f_.blocks.size(), kNoMBlock);
  for (std::size_t i = 0; i < f_.order.size(); ++i) {
    const BlockId id = f_.order[i];
    placed_[index_of(id)] = static_cast<MBlockId>(out_.blocks.size());
    begin_block();
    if (id == f_.entry()) take_parameters();
    TRY(block(id, i + 1 < f_.order.size() ? f_.order[i + 1] : kNoBlock));
  }
  for (const Split& split : aside_) place(split);
  for (MBlock& block : out_.blocks)
    for (MBlockId* to : {&block.taken, &block.next})
      if (*to != kNoMBlock) *to = placed_[*to];
  find_depths(out_);
  return std::move(out_);
}

void Selector::take_parameters() {
  std::span<const ValueId> params = f_.params();
  for (std::size_t i = 0; i < params.size(); ++i)
    if (plan_.uses(params[i]) != 0) put({.op = MOp::mov, .dst = target(params[i]), .a = kArgumentRegs[i]});
}

/// A block for an edge goes aside where the branch could then go on with what is laid out next: but not one of a loop's own edge.
bool Selector::goes_aside(BlockId block, BlockId follower) const {
  if (splits_.size() != 1 || !f_[f_.terminator(block)].is(Op::branch)) return false;
  const BlockId to = splits_[0].edge->to;
  return to != follower && placed_[index_of(to)] == kNoMBlock &&
         std::ranges::any_of(f_.successors(block), [&](const Edge& edge) { return edge.to == follower && edge.argument_count == 0; });
}

void Selector::place(const Split& split) {
  mark_ = split.mark;
  begin_numbered(split.id);
  copies(*split.edge);
  end_block(kNoMBlock, index_of(split.edge->to));
  out_.blocks.back().aside_of = split.aside_of;
}

Result<void> Selector::block(BlockId block, BlockId follower) {
  for (ValueId id : f_[block].insts) {
    if (plan_.skipped(id)) continue;
    mark_ = f_[id].mark;
    TRY(instruction(id));
  }
  // Blocks for the edges that set parameters follow the block that they leave.
  const bool aside = goes_aside(block, follower);
  for (Split& split : std::exchange(splits_, {})) {
    if (!aside) {
      place(split);
      continue;
    }
    split.aside_of = static_cast<MBlockId>(out_.blocks.size() - 1);
    aside_.push_back(split);
  }
  return {};
}

Result<void> Selector::instruction(ValueId id) {
  const Inst& inst = f_[id];
  if (inst.terminator()) return leave(inst);
  if (has(inst.op, kCall)) return call(id, inst);
  if (has(inst.op, kAtomic)) return atomic(id, inst), Result<void>{};
  if (has(inst.op, kBinary) || inst.is(Op::ptr_add)) return binary(id, inst), Result<void>{};
  switch (inst.op) {
    case Op::load: load(id, inst); return {};
    case Op::store: store(inst); return {};
    case Op::copy:
    case Op::zero: return block_memory(inst);
    case Op::select: select(id, inst); return {};
    default: break;
  }
  if (inst.compare()) {
    Cond cond = condition(id);
    put({.op = MOp::set, .size = 4, .cond = cond, .dst = target(id)});
    return {};
  }
  unary(id, inst);
  return {};
}

MInst& Selector::put(MInst inst) {
  inst.mark = mark_;
  return out_.insts.emplace_back(inst);
}

void Selector::begin_block() { out_.blocks.push_back({.begin = static_cast<std::uint32_t>(out_.insts.size())}); }

void Selector::end_block(MBlockId taken, MBlockId next, Cond cond) {
  MBlock& block = out_.blocks.back();
  block.end = static_cast<std::uint32_t>(out_.insts.size());
  block.taken = taken;
  block.next = next;
  block.cond = cond;
}

// ---- values ---------------------------------------------------------------------------------------------------------

Reg Selector::target(ValueId id) {
  Reg& reg = regs_[index_of(id)];
  if (reg == kNoReg) reg = fresh();
  return reg;
}

Reg Selector::use(ValueId id) {
  id = plan_.root(id);
  const Inst& inst = f_[id];
  if (inst.leaf()) {
    Reg reg = fresh();
    leaf_into(reg, inst);
    return reg;
  }
  if (!plan_.skipped(id)) return target(id);
  Reg reg = fresh();   // folded into others, but wanted here as it is
  if (inst.compare()) {
    Cond cond = condition(id);
    put({.op = MOp::set, .size = 4, .cond = cond, .dst = reg});
  } else {
    binary_into(reg, inst);
  }
  return reg;
}

std::optional<std::int64_t> Selector::constant_address(const Inst& leaf) const {
  if (leaf.is(Op::constant)) return leaf.imm;
  std::span<const std::uint64_t> table = leaf.is(Op::map) ? options_.maps : leaf.is(Op::map_value) ? options_.map_values : std::span<const std::uint64_t>{};
  if (leaf.extra >= table.size()) return std::nullopt;
  return static_cast<std::int64_t>(table[leaf.extra]) + leaf.imm;
}

void Selector::leaf_into(Reg reg, const Inst& inst) {
  if (inst.is(Op::stack_addr)) {
    put({.op = MOp::lea, .dst = reg, .base = kRsp, .disp = static_cast<std::int32_t>(slots_[inst.extra] + inst.imm)});
  } else if (inst.is(Op::func_addr)) {
    put({.op = MOp::mov_func, .dst = reg, .imm = inst.extra});
  } else {
    std::int64_t value = constant_address(inst).value_or(0);
    if (inst.type == kI32) value = static_cast<std::uint32_t>(value);
    put({.op = MOp::mov_imm, .dst = reg, .imm = value});
  }
}

Selector::Source Selector::source(ValueId id, unsigned bytes) {
  if (const std::int64_t* value = constant(id)) {
    const std::int64_t imm = bytes == 8 ? *value : static_cast<std::int32_t>(*value);
    if (fits32(imm)) return {.imm = imm};
  }
  return {.reg = use(id)};
}

void Selector::add_part(Parts& parts, ValueId id) {
  id = plan_.root(id);
  const Inst& inst = f_[id];
  if (const std::int64_t* value = constant(id); value != nullptr && fits32(parts.disp + *value) && fits32(*value)) {
    parts.disp += *value;
  } else if (inst.is(Op::stack_addr) && parts.base == kNoReg) {
    parts.base = kRsp;
    parts.disp += slots_[inst.extra] + inst.imm;
  } else if (plan_.sunk_address(id)) {
    add_part(parts, f_.operands(inst)[0]);
    add_part(parts, f_.operands(inst)[1]);
  } else if (plan_.sunk_shift(id) && parts.index == kNoReg) {
    parts.index = use(f_.operands(inst)[0]);
    parts.scale = static_cast<std::uint8_t>(*constant(f_.operands(inst)[1]));
  } else if (parts.base == kNoReg) {
    parts.base = use(id);
  } else if (parts.index == kNoReg) {
    parts.index = use(id);
  } else {   // more than the machine adds at once
    Reg sum = fresh();
    MInst lea{.op = MOp::lea, .dst = sum};
    put_at(lea, parts);
    parts = {.base = sum, .index = use(id)};
  }
}

Selector::Parts Selector::address(ValueId pointer, std::int64_t offset) {
  Parts parts{.disp = offset};
  add_part(parts, pointer);
  return parts;
}

void Selector::put_at(MInst inst, const Parts& parts) {
  Parts fitting = parts;
  if (!fits32(fitting.disp)) {
    Reg far = fresh();
    put({.op = MOp::mov_imm, .dst = far, .imm = fitting.disp});
    if (fitting.index != kNoReg) {
      Reg sum = fresh();
      put({.op = MOp::lea, .dst = sum, .base = fitting.base, .index = far});
      fitting.base = sum;
    } else {
      fitting.index = far;
    }
    fitting.disp = 0;
  }
  inst.base = fitting.base;
  inst.index = fitting.index;
  inst.scale = fitting.scale;
  inst.disp = static_cast<std::int32_t>(fitting.disp);
  put(inst);
}

Result<MFunction> select(const Module& module, const Function& function, const Options& options) {
  return Selector(module, function, options).run();
}

}  // namespace espy::ir::x86
