#include "ir/ir.hpp"

#include <algorithm>

namespace espy::ir {
namespace {

constexpr std::size_t kInlineOperands = 4;

std::uint32_t hash_leaf(Op op, Type type, std::uint32_t extra, std::int64_t imm) {
  std::uint64_t h = static_cast<std::uint64_t>(imm) * 0x9e3779b97f4a7c15;
  h ^= (std::uint64_t{extra} << 24 | std::uint64_t(std::to_underlying(op)) << 16 |
        std::uint64_t(std::to_underlying(type.kind)) << 8 | std::to_underlying(type.space)) *
       0xc2b2ae3d27d4eb4f;
  return static_cast<std::uint32_t>(h >> 29);
}

/// A constant as it is kept: i32 sign-extended, i1 as 0 or 1.
std::int64_t canonical(Type type, std::int64_t value) {
  if (type.kind == Kind::i32) return static_cast<std::int32_t>(value);
  if (type.kind == Kind::i1) return value & 1;
  return value;
}

}  // namespace

static_assert(sizeof(ValueId) == sizeof(std::uint32_t));

std::span<const ValueId> Function::operands(const Inst& inst) const {
  if (inst.operand_count > kInlineOperands) return {pool.data() + index_of(inst.inline_operands[0]), inst.operand_count};
  return {inst.inline_operands, inst.operand_count};
}

std::span<ValueId> Function::operands(Inst& inst) {
  if (inst.operand_count > kInlineOperands) return {pool.data() + index_of(inst.inline_operands[0]), inst.operand_count};
  return {inst.inline_operands, inst.operand_count};
}

BlockId Function::add_block(bool in_order) {
  BlockId id{static_cast<std::uint32_t>(blocks.size())};
  blocks.emplace_back();
  if (in_order) order.push_back(id);
  return id;
}

ValueId Function::add_param(BlockId block, Type type) {
  std::vector<ValueId>& params = (*this)[block].params;
  ValueId id = add_inst({.op = Op::param, .type = type, .block = block, .extra = static_cast<std::uint32_t>(params.size())}, {});
  params.push_back(id);
  return id;
}

SlotId Function::add_slot(std::uint32_t size, std::uint32_t align) {
  slots.push_back({size, align});
  return SlotId{static_cast<std::uint32_t>(slots.size() - 1)};
}

ValueId Function::add_inst(Inst inst, std::span<const ValueId> operands) {
  set_operands(inst, operands);
  insts.push_back(inst);
  return ValueId{static_cast<std::uint32_t>(insts.size() - 1)};
}

void Function::set_operands(Inst& inst, std::span<const ValueId> operands) {
  if (operands.size() <= kInlineOperands) {
    ValueId copy[kInlineOperands] = {kNoValue, kNoValue, kNoValue, kNoValue};
    std::ranges::copy(operands, copy);   // the operands may be the instruction's own
    std::ranges::copy(copy, inst.inline_operands);
  } else {
    inst.inline_operands[0] = ValueId{make_edge(kNoBlock, operands).first_argument};
  }
  inst.operand_count = static_cast<std::uint8_t>(operands.size());
}

Edge Function::make_edge(BlockId to, std::span<const ValueId> arguments, std::int64_t value) {
  Edge edge{.to = to, .value = value};
  set_arguments(edge, arguments);
  return edge;
}

void Function::set_arguments(Edge& edge, std::span<const ValueId> arguments) {
  edge.first_argument = static_cast<std::uint32_t>(pool.size());
  edge.argument_count = static_cast<std::uint32_t>(arguments.size());
  std::size_t at = pool.size();
  bool own = arguments.data() >= pool.data() && arguments.data() < pool.data() + pool.size();
  std::size_t from = own ? static_cast<std::size_t>(arguments.data() - pool.data()) : 0;
  pool.resize(at + arguments.size());
  if (own)
    std::copy_n(pool.begin() + static_cast<std::ptrdiff_t>(from), arguments.size(),
                pool.begin() + static_cast<std::ptrdiff_t>(at));
  else
    std::ranges::copy(arguments, pool.begin() + static_cast<std::ptrdiff_t>(at));
}

void Function::set_edges(Inst& inst, std::span<const Edge> list) {
  std::vector<Edge> copy(list.begin(), list.end());   // the list may be part of `edges`
  if (copy.size() > inst.edge_count) {
    inst.extra = static_cast<std::uint32_t>(edges.size());
    edges.resize(edges.size() + copy.size());
  }
  std::ranges::copy(copy, edges.begin() + inst.extra);
  inst.edge_count = static_cast<std::uint16_t>(copy.size());
}

ValueId Function::leaf(Op op, Type type, std::uint32_t extra, std::int64_t imm) {
  if (op == Op::constant) imm = canonical(type, imm);
  if ((leaf_count_ + 1) * 2 > leaves_.size()) grow_leaves();
  auto mask = static_cast<std::uint32_t>(leaves_.size() - 1);
  std::uint32_t at = hash_leaf(op, type, extra, imm) & mask;
  for (; leaves_[at] != kNoId; at = (at + 1) & mask) {
    const Inst& have = insts[leaves_[at]];
    if (have.op == op && have.type == type && have.extra == extra && have.imm == imm) return ValueId{leaves_[at]};
  }
  ValueId id = add_inst({.op = op, .type = type, .extra = extra, .imm = imm}, {});
  leaves_[at] = index_of(id);
  ++leaf_count_;
  return id;
}

/// Doubles the table; the leaves are found again in `insts`.
void Function::grow_leaves() {
  std::vector<std::uint32_t> old = std::exchange(leaves_, {});
  leaves_.assign(std::max<std::size_t>(32, old.size() * 2), kNoId);
  auto mask = static_cast<std::uint32_t>(leaves_.size() - 1);
  for (std::uint32_t id : old) {
    if (id == kNoId) continue;
    const Inst& inst = insts[id];
    std::uint32_t at = hash_leaf(inst.op, inst.type, inst.extra, inst.imm) & mask;
    while (leaves_[at] != kNoId) at = (at + 1) & mask;
    leaves_[at] = id;
  }
}

ValueId Function::constant(Type type, std::int64_t value) { return leaf(Op::constant, type, 0, value); }

void Function::set_fact(ValueId id, const Fact& fact) {
  if (facts.size() <= index_of(id)) facts.resize(index_of(id) + 1);
  facts[index_of(id)] = fact;
}

FuncId Module::add_function(std::string name, Type result, std::span<const Type> params, Role role) {
  Function& function = functions.emplace_back();
  function.name = std::move(name);
  function.result = result;
  function.role = role;
  BlockId entry = function.add_block();
  for (Type type : params) function.add_param(entry, type);
  return FuncId{static_cast<std::uint32_t>(functions.size() - 1)};
}

FuncId Module::add_function(std::string name, Type result, std::initializer_list<Type> params, Role role) {
  return add_function(std::move(name), result, std::span(params.begin(), params.size()), role);
}

MapId Module::map(std::string_view name) {
  auto found = std::ranges::find(maps, name);
  if (found != maps.end()) return MapId{static_cast<std::uint32_t>(found - maps.begin())};
  maps.emplace_back(name);
  return MapId{static_cast<std::uint32_t>(maps.size() - 1)};
}

ExternId Module::external(std::string_view name, ExternKind kind) {
  auto found = std::ranges::find(externs, name, &Extern::name);
  if (found != externs.end()) return ExternId{static_cast<std::uint32_t>(found - externs.begin())};
  externs.push_back({std::string(name), kind});
  return ExternId{static_cast<std::uint32_t>(externs.size() - 1)};
}

const Function* Module::find(std::string_view name) const {
  auto found = std::ranges::find(functions, name, &Function::name);
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace espy::ir
