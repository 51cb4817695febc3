// Statements.
#include <algorithm>
#include <utility>

#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kNoValue;
using ir::ValueId;

void Lowering::block(const Block& node) {
  const std::uint32_t scratch_mark = scratch_area.used;
  const std::size_t outside = given_homes.size();
  for (const Statement& inner : node.statements) {
    if (!reachable()) break;
    statement(inner);
  }
  scratch_area.used = scratch_mark;
  // Variables end with their block: where it is lowered again, as a turn of a loop, they get new memory.
  for (; given_homes.size() > outside; given_homes.pop_back()) homes[given_homes.back()] = {};
}

ValueId Lowering::variable(std::uint32_t id) {
  const VariableHome& home = homes[id];
  const Type& type = type_of_variable(id);
  if (home.kind == VariableHome::Kind::memory) return load(home.at, type);
  const ValueId value = env.variables[id];
  if (value != kNoValue) return value;
  const ir::Type as = ir_type(type);
  return as.is_ptr() ? b.null(as.space) : b.constant(as, 0);
}

void Lowering::set_variable(std::uint32_t id, ValueId value) {
  const VariableHome& home = homes[id];
  const Type& type = type_of_variable(id);
  if (home.kind == VariableHome::Kind::memory) store(home.at, type, value);
  else env.variables[id] = as_type(value, type);
}

void Lowering::forget_all() {
  env.keys.clear();
  env.elements.clear();
  env.values.clear();
}

void Lowering::give_home(std::uint32_t id) {
  VariableHome& home = homes[id];
  const Type& type = type_of_variable(id);
  if (home.kind != VariableHome::Kind::value) return;
  const bool in_scratch = unit.economy == Economy::variables && scratch_area.base != kNoValue && !ir_type(type).is_ptr() && !followed.contains(id);
  if (type.is_scalar() && !in_scratch) return;
  home.kind = VariableHome::Kind::memory;
  const std::uint32_t bytes = std::max(type.size, 1U);
  home.at = fits_stack(bytes) ? on_stack(bytes) : scratch(bytes);
  kept_scratch = scratch_area.used;
  given_homes.push_back(id);
}

void Lowering::assign_variable(std::uint32_t id, const Expr& value) {
  const Type& type = type_of_variable(id);
  if (type.is_scalar()) {
    give_home(id);
    const ValueId given = value.type.is_aggregate() ? aggregate_of(value) : scalar(value);
    const bool narrower = type.kind == Kind::integer && value.type.kind == Kind::integer && type.size < value.type.size;
    return set_variable(id, narrower ? fit(as_number(given), type) : given);
  }
  give_home(id);
  const Address home = homes[id].at;
  // What is assigned may be made of the variable itself: then it is made aside.
  const VariableUse uses = variables_of(value);
  if (uses.used.contains(id) && !std::holds_alternative<Variable>(value.node)) {
    const Address made = temporary(type.size);
    value_into(value, type, made);
    return copy(home, made, type.size);
  }
  value_into(value, type, home);
}

void Lowering::declare(std::uint32_t id, const Expr* value) {
  const Type& type = type_of_variable(id);
  give_home(id);
  if (value != nullptr) return assign_variable(id, *value);
  if (type.is_scalar()) {
    const ir::Type as = ir_type(type);
    return set_variable(id, as.is_ptr() ? b.null(as.space) : b.constant(as, 0));
  }
  zero(homes[id].at, type.size);
}

void Lowering::leave() {
  if (leave_callback) {
    leave_callback();
  } else if (exit_to != nullptr) {
    go(*exit_to, is_subprogram ? i64(0) : kNoValue);
  }
  nothing_follows();
}

void Lowering::return_value(const Expr& value) {
  ValueId result = i64(0);
  if (subprogram_returns->is_scalar()) result = number(value);
  else value_into(value, *subprogram_returns, {scratch_area.base, subprogram_result});
  leave_with(result);
}

void Lowering::leave_with(ValueId result) {
  if (leave_callback) {
    store_number({capture_pointer, kCapturedResult}, 8, result);
    leave_callback();
  } else {
    go(*exit_to, result);
  }
  nothing_follows();
}

void Lowering::statement(const Statement& node) {
  mark(node.at);
  struct Visit {
    Lowering& l;
    const Statement& at;
    void operator()(const ExprStatement& n) const { l.effect(n.value); }
    void operator()(const Discard& n) const { l.effect(n.value); }
    void operator()(const Assign& n) const {
      if (const auto* access = std::get_if<MapAccess>(&n.target.node)) return l.assign_map(n, *access, at.at);
      const auto* named = std::get_if<Variable>(&n.target.node);
      if (named == nullptr) return l.unit.error(n.target.at, "nothing can be assigned to this");
      if (!n.op) return l.assign_variable(named->id, n.value);
      const Type& type = l.type_of_variable(named->id);
      const ValueId old = l.variable(named->id);
      if (type.kind == Kind::pointer) {
        const std::int64_t size = type.element ? std::max<std::int64_t>(type.element->size, 1) : 1;
        ValueId steps = l.b.mul(l.number(n.value), l.i64(*n.op == BinaryOp::sub ? -size : size));
        return l.set_variable(named->id, l.fn().type_of(old).is_ptr() ? l.b.ptr_add(old, steps) : l.b.add(old, steps));
      }
      const ValueId change = l.number(n.value);
      l.set_variable(named->id, l.fit(l.arithmetic(*n.op, old, change, type.is_signed, type.is_signed), type));
    }
    void operator()(const Declare& n) const { l.declare(n.variable.id, n.value ? &*n.value : nullptr); }
    void operator()(const If& n) const {
      Join yes, no, done;
      l.condition(n.condition, yes, no);
      l.enter(yes);
      l.block(n.then);
      l.go(done);
      l.enter(no);
      if (n.otherwise) l.block(*n.otherwise);
      l.go(done);
      l.enter(done);
    }
    void operator()(const Unroll& n) const { l.unroll(n); }
    void operator()(const While& n) const { l.while_loop(n); }
    void operator()(const ForMap& n) const { l.for_map(n, at.at); }
    void operator()(const ForRange& n) const { l.for_range(n, at.at); }
    void operator()(const Break&) const {
      if (l.loops.empty() || l.loops.back().break_to == nullptr) return;
      l.go(*l.loops.back().break_to);
      l.nothing_follows();
    }
    void operator()(const Continue&) const {
      if (l.loops.empty() || l.loops.back().continue_to == nullptr) return;
      l.go(*l.loops.back().continue_to);
      l.nothing_follows();
    }
    void operator()(const Return& n) const {
      if (l.is_subprogram && n.value) return l.return_value(*n.value);
      if (n.value) l.effect(*n.value);
      l.leave();
    }
    void operator()(const Import&) const {}
    void operator()(const Block& n) const { l.block(n); }
  };
  const std::uint32_t scratch_mark = scratch_area.used;
  const std::uint32_t kept_outside = std::exchange(kept_scratch, 0);
  std::visit(Visit{*this, node}, node.node);
  // A variable that was first set here keeps its memory until its block ends.
  const bool sets = std::holds_alternative<Assign>(node.node) || std::holds_alternative<Declare>(node.node);
  scratch_area.used = sets ? std::max(scratch_mark, kept_scratch) : scratch_mark;
  kept_scratch = kept_outside;
  if (unit.economy != Economy::none) forget_all();
}

}  // namespace espy::trace::lowering
