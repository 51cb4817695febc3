// Statements: assignments, declarations, control flow.
#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

void Checker::block(Block& block) {
  body_->scopes.emplace_back();
  statements(block);
  body_->scopes.pop_back();
}

void Checker::statements(Block& block) {
  for (std::size_t i = 0; i < block.statements.size(); ++i) {
    Statement& at = block.statements[i];
    statement(at);
    const bool ends = std::holds_alternative<Return>(at.node) || std::holds_alternative<Break>(at.node) || std::holds_alternative<Continue>(at.node);
    if (ends && i + 1 < block.statements.size()) warning(block.statements[i + 1].at, "this is never reached");
  }
}

void Checker::statement(Statement& at) {
  std::visit(overload{
                 [&](ExprStatement& node) { discarded(node.value); },
                 [&](Discard& node) {
                   expression(node.value);
                   if (node.value.type.kind == Kind::none) warning(at.at, "there is no value to discard");
                 },
                 [&](Assign& node) { assign(at, node); },
                 [&](Declare& node) { declare(at, node); },
                 [&](If& node) { if_statement(node); },
                 [&](Unroll& node) {
                   expression(node.count);
                   auto count = constant_integer(node.count);
                   if (!is_unknown(node.count.type) && (!count || *count == 0 || *count > 100))
                     error(node.count.at, !count ? "unroll takes a constant from 1 to 100" : *count == 0 ? "unroll minimum value is 1" : "unroll maximum value is 100");
                   block(node.body);
                 },
                 [&](While& node) {
                   condition(node.condition);
                   ++body_->loops;
                   block(node.body);
                   --body_->loops;
                 },
                 [&](ForMap& node) { for_map(node); },
                 [&](ForRange& node) { for_range(node); },
                 [&](Break&) { if (body_->loops == 0) error(at.at, "break outside of a loop"); },
                 [&](Continue&) { if (body_->loops == 0) error(at.at, "continue outside of a loop"); },
                 [&](Return& node) { return_statement(at, node); },
                 [&](Import& node) { error(at.at, fmt::format("`{}` cannot be imported within a block", node.path), "import at the head of the script"); },
                 [&](Block& node) { block(node); },
             },
             at.node);
}

/// An expression as a statement: what has no effect is pointed at.
void Checker::discarded(Expr& value) {
  expression(value);
  const bool acts = std::visit(
      overload{
          [](Call& node) { return node.function == nullptr || node.function->kind != FunctionKind::formatted; },
          [](Unary& node) {
            return node.op == UnaryOp::pre_increment || node.op == UnaryOp::pre_decrement || node.op == UnaryOp::post_increment ||
                   node.op == UnaryOp::post_decrement;
          },
          [](Ternary&) { return true; }, [](BlockExpr&) { return true; }, [](Binary& node) {
            return node.op == BinaryOp::logical_and || node.op == BinaryOp::logical_or;
          },
          // Made of a call that is gone now.
          [](Integer& node) { return node.spelling.empty(); }, [](Boolean&) { return true; },
          [](auto&) { return false; },
      },
      value.node);
  if (!acts && !is_unknown(value.type) && value.type.kind != Kind::none) warning(value.at, "the value is not used", "assign it to `_` if that is meant");
}

void Checker::condition(Expr& expr) {
  expression(expr);
  as_number(expr);
  if (!is_unknown(expr.type) && !is_number(expr.type))
    error(expr.at, fmt::format("a condition is a number or a pointer, and this is a `{}`", to_string(expr.type)),
          expr.type.kind == Kind::string ? "compare it: `!= \"\"`" : "");
}

void Checker::if_statement(If& node) {
  condition(node.condition);
  // What a constant rules out is not compiled, and so not complained about: `if (is_str(x)) { … } else { … }`.
  auto constant = constant_of(node.condition);
  const auto* flag = constant ? std::get_if<Boolean>(&*constant) : nullptr;
  const auto* number = constant ? std::get_if<Integer>(&*constant) : nullptr;
  const bool never = (flag != nullptr && !flag->value) || (number != nullptr && number->value == 0);
  const bool always = (flag != nullptr && flag->value) || (number != nullptr && number->value != 0);
  if (never) {
    if (final_) node.then.statements.clear();
  } else {
    block(node.then);
  }
  if (!node.otherwise) return;
  if (always) {
    if (final_) node.otherwise.reset();
  } else {
    block(*node.otherwise);
  }
}

void Checker::assign(Statement& at, Assign& node) {
  if (auto* map = std::get_if<MapAccess>(&node.target.node)) return assign_map(at, node, *map);
  auto* variable = std::get_if<Variable>(&node.target.node);
  if (variable == nullptr) {
    expression(node.target);
    expression(node.value);
    if (!is_unknown(node.target.type)) error(node.target.at, "only variables and maps can be assigned to");
    return;
  }
  if (node.op) {
    expression(node.target);
    expression(node.value);
    as_number(node.value);
    if (is_unknown(node.target.type) || is_unknown(node.value.type)) return;
    Type result = result_of(at.at, *node.op, node.target, node.value);
    if (is_unknown(result)) return;
    VariableState& state = body_->variables[variable->id];
    grow_variable(state, result, node.value.at);
    node.target.type = state.type;
    if (result.kind == Kind::integer) convert(node.value, result);
    return;
  }
  expression(node.value);
  std::optional<std::uint32_t> id = variable_id(variable->name);
  variable->id = id ? *id : declare_variable(variable->name, node.target.at);
  VariableState& state = body_->variables[variable->id];
  grow_variable(state, node.value.type, node.value.at);
  node.target.type = state.type;
  as_number(node.value);
  if (!convert(node.value, state.type) && state.is_fixed)
    error(node.value.at, fmt::format("`${}` is a `{}`, and this is a `{}`", state.name, to_string(state.type), to_string(node.value.type)), "use a cast");
}

void Checker::assign_map(Statement& at, Assign& node, MapAccess& target) {
  use_key(target, node.target.at);
  const std::uint32_t id = target.id;
  // @x = count(): the one place where these functions mean something.
  if (auto* call = std::get_if<Call>(&node.value.node); call != nullptr && !node.op) {
    const Function* row = find_function(call->name);
    if (row != nullptr && row->kind == FunctionKind::map_value) {
      call->function = row;
      if (auto type = aggregate(*call, *row)) {
        grow_value(id, *type, node.value.at);
        node.value.type = *type;
      } else {
        node.value.type = unknown_type();
      }
      node.target.type = maps_[id].value;
      return;
    }
  }
  expression(node.value);
  as_number(node.value);
  MapState& map = maps_[id];
  if (map.value.is_aggregate()) {
    error(at.at, fmt::format("`@{}` holds a `{}` and takes nothing else", map.name, to_string(map.value)),
          fmt::format("as in @{} = count()", map.name));
    return;
  }
  if (node.op) {
    // A map that is not set yet counts from 0.
    if (is_unknown(map.value)) grow_value(id, int64_type(), node.target.at);
    node.target.type = maps_[id].value;
    if (is_unknown(node.value.type)) return;
    Type result = result_of(at.at, *node.op, node.target, node.value);
    if (is_unknown(result)) return;
    grow_value(id, result, node.value.at);
    node.target.type = maps_[id].value;
    if (result.kind == Kind::integer) convert(node.value, result);
    return;
  }
  if (node.value.type.is_aggregate()) {
    error(node.value.at, fmt::format("a `{}` cannot be copied", to_string(node.value.type)));
    return;
  }
  grow_value(id, node.value.type, node.value.at);
  node.target.type = maps_[id].value;
  convert(node.value, maps_[id].value);
}

void Checker::declare(Statement& at, Declare& node) {
  if (node.value) expression(*node.value);
  std::optional<Type> type;
  if (node.type) type = named_type(*node.type);
  if (auto id = variable_id(node.variable.name); id && final_) {
    const VariableState& other = body_->variables[*id];
    if (!(other.at == node.name_at))
      error(node.name_at, fmt::format("`${}` is declared already", node.variable.name), "a variable hides no other: give it another name");
  }
  node.variable.id = declare_variable(node.variable.name, node.name_at);
  VariableState& state = body_->variables[node.variable.id];
  if (type) {
    const bool sized = type->kind != Kind::string && type->kind != Kind::buffer ? true : type->size > (type->kind == Kind::buffer ? 4U : 0U);
    if (type->kind == Kind::none) error(node.type->at, "a variable cannot be void");
    if (sized) state.is_fixed = true;
    state.type = is_unknown(state.type) || sized ? stored_type(*type, false) : state.type;
  }
  if (!node.value) return;
  grow_variable(state, node.value->type, node.value->at);
  as_number(*node.value);
  if (!convert(*node.value, state.type) && state.is_fixed)
    error(node.value->at, fmt::format("`${}` is a `{}`, and this is a `{}`", state.name, to_string(state.type), to_string(node.value->type)), "use a cast");
  (void)at;
}

void Checker::for_map(ForMap& node) {
  node.map.id = map_id(node.map.name, node.map_at);
  MapState& map = maps_[node.map.id];
  map.is_iterated = true;
  Type pair = unknown_type();
  if (node.map.key) {
    error(node.map_at, "a loop runs over a whole map", fmt::format("as in for ($kv : @{})", node.map.name));
  } else if (is_unknown(map.value) && map.declared_kind.empty()) {
    error(node.map_at, fmt::format("`@{}` is never given a value", map.name));
  } else if (map.key.kind == Kind::none) {
    error(node.map_at, fmt::format("`@{}` has no keys to loop over", map.name));
  } else if (!is_unknown(map.key) && !is_unknown(map.value)) {
    pair = tuple_of({map.key, is_castable_aggregate(map.value) ? wide_integer(map.value) : map.value});
  }
  body_->scopes.emplace_back();
  if (variable_id(node.binding.name)) error(node.map_at, fmt::format("`${}` is declared already", node.binding.name));
  // The place of the name is not kept: that of the map tells loops apart as well.
  node.binding.id = declare_variable(node.binding.name, node.map_at);
  VariableState& state = body_->variables[node.binding.id];
  state.is_assigned = true;
  state.type = std::move(pair);
  state.entry_of = node.map.id;
  ++body_->loops;
  block(node.body);
  --body_->loops;
  body_->scopes.pop_back();
}

void Checker::for_range(ForRange& node) {
  for (Expr* end : {&node.from, &node.to}) {
    expression(*end);
    as_number(*end);
    if (!is_unknown(end->type) && end->type.kind != Kind::integer)
      error(end->at, fmt::format("a range has integer ends, and this is a `{}`", to_string(end->type)));
    else
      convert(*end, int64_type());
    if (final_ && end->type.kind == Kind::integer && end->type.size == 8 && !end->type.is_signed) {
      Expr inner = std::move(*end);
      const Span at = inner.at;
      *end = {.node = Cast{.to = {}, .operand = std::move(inner)}, .at = at, .type = int64_type()};
    }
  }
  body_->scopes.emplace_back();
  if (variable_id(node.binding.name)) error(node.from.at, fmt::format("`${}` is declared already", node.binding.name));
  node.binding.id = declare_variable(node.binding.name, node.from.at);
  VariableState& state = body_->variables[node.binding.id];
  state.is_assigned = true;
  grow_variable(state, int64_type(), node.from.at);
  ++body_->loops;
  block(node.body);
  --body_->loops;
  body_->scopes.pop_back();
}

void Checker::return_statement(Statement& at, Return& node) {
  if (node.value) {
    expression(*node.value);
    as_number(*node.value);
  }
  if (body_->returns != nullptr) {
    if (!node.value) {
      if (body_->returns->kind != Kind::none) error(at.at, fmt::format("this subprogram returns a `{}`", to_string(*body_->returns)));
    } else if (!convert(*node.value, *body_->returns)) {
      error(node.value->at, fmt::format("this subprogram returns a `{}`, and this is a `{}`", to_string(*body_->returns), to_string(node.value->type)));
    }
    return;
  }
  if (node.value && !is_unknown(node.value->type) && !is_integer_like(node.value->type))
    error(node.value->at, fmt::format("a probe returns an integer, and this is a `{}`", to_string(node.value->type)));
}

}  // namespace espy::trace
