// The children of a node, for passes that touch only some kinds of nodes.
#pragma once

#include <concepts>

#include "base/text.hpp"
#include "trace/syntax/ast.hpp"

namespace espy::trace {

/// What a pass does with each kind of child; it calls each_child itself to go deeper.
template <typename Pass>
concept TreePass = requires(Pass& pass, Expr& expr, Block& block, TypeName& type) {
  pass.expr(expr);
  pass.block(block);
  pass.type(type);
};

/// Calls the pass for each expression, block and type right below an expression, in the order of the source.
template <TreePass Pass>
void each_child(Expr& parent, Pass& pass) {
  const auto of = [&](std::variant<TypeName, Box<Expr>>& either) {
    if (auto* type = std::get_if<TypeName>(&either)) pass.type(*type);
    else pass.expr(*std::get<Box<Expr>>(either));
  };
  std::visit(overload{
      [&](MapAccess& node) { if (node.key) pass.expr(**node.key); },
      [&](Call& node) { for (Expr& argument : node.arguments) pass.expr(argument); },
      [&](Unary& node) { pass.expr(*node.operand); },
      [&](Binary& node) { pass.expr(*node.left), pass.expr(*node.right); },
      [&](Ternary& node) {
        pass.expr(*node.condition);
        if (node.then) pass.expr(**node.then);
        pass.expr(*node.otherwise);
      },
      [&](Cast& node) { pass.type(node.to), pass.expr(*node.operand); },
      [&](Member& node) { pass.expr(*node.object); },
      [&](Index& node) { pass.expr(*node.object), pass.expr(*node.index); },
      [&](TupleLiteral& node) { for (Expr& member : node.members) pass.expr(member); },
      [&](RecordLiteral& node) { for (auto& [name, value] : node.members) pass.expr(value); },
      [&](SizeOf& node) { of(node.of); },
      [&](OffsetOf& node) { of(node.of); },
      [&](TypeOf& node) { pass.type(node.type); },
      [&](BlockExpr& node) { pass.block(node.block), pass.expr(*node.value); },
      [](auto&) {},
  }, parent.node);
}

template <TreePass Pass>
void each_child(Statement& parent, Pass& pass) {
  std::visit(overload{
      [&](ExprStatement& node) { pass.expr(node.value); },
      [&](Discard& node) { pass.expr(node.value); },
      [&](Assign& node) { pass.expr(node.target), pass.expr(node.value); },
      [&](Declare& node) {
        if (node.type) pass.type(*node.type);
        if (node.value) pass.expr(*node.value);
      },
      [&](If& node) {
        pass.expr(node.condition), pass.block(node.then);
        if (node.otherwise) pass.block(*node.otherwise);
      },
      [&](Unroll& node) { pass.expr(node.count), pass.block(node.body); },
      [&](While& node) { pass.expr(node.condition), pass.block(node.body); },
      [&](ForMap& node) { pass.block(node.body); },
      [&](ForRange& node) { pass.expr(node.from), pass.expr(node.to), pass.block(node.body); },
      [&](Return& node) { if (node.value) pass.expr(*node.value); },
      [&](Block& node) { pass.block(node); },
      [](auto&) {},
  }, parent.node);
}

template <TreePass Pass>
void each_child(TypeName& parent, Pass& pass) {
  if (parent.of) pass.expr(**parent.of);
}

/// Calls the pass for what stands in probes and functions and in values of the config block; not for macros.
template <TreePass Pass>
void each_child(Script& script, Pass& pass) {
  for (ConfigEntry& entry : script.config) pass.expr(entry.value);
  for (MapDeclaration& map : script.maps) pass.expr(map.size);
  for (Subprogram& function : script.subprograms) {
    for (SubprogramParameter& parameter : function.parameters) pass.type(parameter.type);
    pass.type(function.returns);
    pass.block(function.body);
  }
  for (Probe& probe : script.probes) {
    if (probe.predicate) pass.expr(*probe.predicate);
    pass.block(probe.body);
  }
}

}  // namespace espy::trace
