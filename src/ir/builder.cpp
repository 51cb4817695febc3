#include "ir/builder.hpp"

#include <array>

namespace espy::ir {
namespace {

std::uint8_t byte(unsigned value) { return static_cast<std::uint8_t>(value); }

std::span<const ValueId> span_of(Builder::Values values) { return {values.begin(), values.size()}; }

}  // namespace

ValueId Builder::emit(Inst inst, std::span<const ValueId> operands) {
  inst.mark = mark;
  inst.block = at_;
  ValueId id = f_->add_inst(inst, operands);
  (*f_)[at_].insts.push_back(id);
  return id;
}

BlockId Builder::block(std::initializer_list<Type> params) {
  BlockId id = f_->add_block();
  for (Type type : params) f_->add_param(id, type);
  return id;
}

BlockId Builder::cold_block(std::initializer_list<Type> params) {
  BlockId id = block(params);
  (*f_)[id].cold = true;
  return id;
}

bool Builder::terminated() const {
  const Block& block = (*f_)[at_];
  return !block.insts.empty() && (*f_)[block.insts.back()].terminator();
}

ValueId Builder::binary(Op op, ValueId a, ValueId b) { return emit({.op = op, .type = f_->type_of(a)}, {a, b}); }
ValueId Builder::neg(ValueId a) { return emit({.op = Op::neg, .type = f_->type_of(a)}, {a}); }
ValueId Builder::not_(ValueId a) { return emit({.op = Op::not_, .type = f_->type_of(a)}, {a}); }
ValueId Builder::bswap(ValueId a, unsigned width) {
  return emit({.op = Op::bswap, .type = f_->type_of(a), .width = byte(width)}, {a});
}
ValueId Builder::zext(ValueId a, unsigned width, Type type) {
  return emit({.op = Op::zext, .type = type, .width = byte(width)}, {a});
}
ValueId Builder::sext(ValueId a, unsigned width, Type type) {
  return emit({.op = Op::sext, .type = type, .width = byte(width)}, {a});
}
ValueId Builder::trunc(ValueId a) { return emit({.op = Op::trunc, .type = kI32}, {a}); }
ValueId Builder::compare(Op op, ValueId a, ValueId b) { return emit({.op = op, .type = kI1}, {a, b}); }
ValueId Builder::select(ValueId condition, ValueId yes, ValueId no) {
  return emit({.op = Op::select, .type = f_->type_of(yes)}, {condition, yes, no});
}

ValueId Builder::ptr_add(ValueId pointer, ValueId bytes) {
  return emit({.op = Op::ptr_add, .type = f_->type_of(pointer)}, {pointer, bytes});
}
ValueId Builder::ptr_to_int(ValueId pointer) { return emit({.op = Op::ptr_to_int, .type = kI64}, {pointer}); }
ValueId Builder::int_to_ptr(ValueId number, Space space) { return emit({.op = Op::int_to_ptr, .type = ptr(space)}, {number}); }
ValueId Builder::ptr_cast(ValueId pointer, Space space) { return emit({.op = Op::ptr_cast, .type = ptr(space)}, {pointer}); }

ValueId Builder::load(Type type, unsigned width, ValueId pointer, std::int64_t offset, unsigned flags) {
  return emit({.op = Op::load, .type = type, .width = byte(width), .flags = byte(flags), .imm = offset}, {pointer});
}
void Builder::store(unsigned width, ValueId pointer, std::int64_t offset, ValueId value, unsigned flags) {
  emit({.op = Op::store, .width = byte(width), .flags = byte(flags), .imm = offset}, {pointer, value});
}
void Builder::copy(ValueId to, ValueId from, std::uint32_t size, unsigned align) {
  emit({.op = Op::copy, .width = byte(align * 8), .imm = size}, {to, from});
}
void Builder::zero(ValueId pointer, std::uint32_t size, unsigned align) {
  emit({.op = Op::zero, .width = byte(align * 8), .imm = size}, {pointer});
}
void Builder::atomic(Op op, ValueId pointer, ValueId value, unsigned width, std::int64_t offset) {
  emit({.op = op, .width = byte(width), .imm = offset}, {pointer, value});
}
ValueId Builder::atomic_fetch(Op op, ValueId pointer, ValueId value, unsigned width, std::int64_t offset) {
  return emit({.op = op, .type = f_->type_of(value), .width = byte(width), .flags = kFetch, .imm = offset}, {pointer, value});
}
ValueId Builder::cmpxchg(ValueId pointer, ValueId expected, ValueId wanted, unsigned width, std::int64_t offset) {
  return emit({.op = Op::atomic_cmpxchg, .type = f_->type_of(wanted), .width = byte(width), .flags = kFetch, .imm = offset},
              {pointer, expected, wanted});
}

ValueId Builder::helper(std::uint32_t number, Type result, std::span<const ValueId> arguments, unsigned flags) {
  return emit({.op = Op::call_helper, .type = result, .flags = byte(flags), .imm = number}, arguments);
}
ValueId Builder::helper(std::uint32_t number, Type result, Values arguments, unsigned flags) {
  return helper(number, result, span_of(arguments), flags);
}
ValueId Builder::kfunc(ExternId id, Type result, std::span<const ValueId> arguments, unsigned flags) {
  return emit({.op = Op::call_kfunc, .type = result, .flags = byte(flags), .imm = index_of(id)}, arguments);
}
ValueId Builder::kfunc(ExternId id, Type result, Values arguments, unsigned flags) {
  return kfunc(id, result, span_of(arguments), flags);
}
ValueId Builder::call(FuncId id, Type result, std::span<const ValueId> arguments) {
  return emit({.op = Op::call, .type = result, .imm = index_of(id)}, arguments);
}
ValueId Builder::call(FuncId id, Type result, Values arguments) { return call(id, result, span_of(arguments)); }

void Builder::jump(BlockId to, Values arguments) { jump(to, span_of(arguments)); }

void Builder::jump(BlockId to, std::span<const ValueId> arguments) {
  ValueId id = emit({.op = Op::jump}, {});
  f_->set_edges((*f_)[id], std::array{f_->make_edge(to, arguments)});
}

void Builder::branch(ValueId condition, BlockId yes, Values yes_arguments, BlockId no, Values no_arguments) {
  ValueId id = emit({.op = Op::branch}, {condition});
  f_->set_edges((*f_)[id], std::array{f_->make_edge(yes, span_of(yes_arguments)), f_->make_edge(no, span_of(no_arguments))});
}

void Builder::switch_(ValueId value, std::span<const Case> cases, BlockId otherwise) {
  ValueId id = emit({.op = Op::switch_}, {value});
  std::vector<Edge> edges;
  edges.reserve(cases.size() + 1);
  for (const Case& one : cases) edges.push_back({.to = one.to, .value = one.value});
  edges.push_back({.to = otherwise});
  f_->set_edges((*f_)[id], edges);
}

void Builder::tail_call(ValueId ctx, ValueId map, ValueId index, BlockId failed) {
  ValueId id = emit({.op = Op::tail_call}, {ctx, map, index});
  f_->set_edges((*f_)[id], std::array{Edge{.to = failed}});
}

}  // namespace espy::ir
