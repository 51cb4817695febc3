// Walks over every expression of a tree, outer before inner.
#pragma once

#include "base/text.hpp"
#include "trace/syntax/ast.hpp"

namespace espy::trace {

template <typename Visit>
void walk(Block& block, const Visit& visit);

/// Calls visit(Expr&) for an expression and all in it.
template <typename Visit>
void walk(Expr& expr, const Visit& visit) {
  visit(expr);
  const auto type_name = [&](TypeName& type) {
    if (type.of) walk(**type.of, visit);
  };
  std::visit(overload{
                 [](Integer&) {}, [](Boolean&) {}, [](String&) {}, [](Identifier&) {}, [](Positional&) {}, [](Variable&) {},
                 [&](MapAccess& node) { if (node.key) walk(**node.key, visit); },
                 [&](Call& node) { for (Expr& argument : node.arguments) walk(argument, visit); },
                 [&](Unary& node) { walk(*node.operand, visit); },
                 [&](Binary& node) { walk(*node.left, visit); walk(*node.right, visit); },
                 [&](Ternary& node) {
                   walk(*node.condition, visit);
                   if (node.then) walk(**node.then, visit);
                   walk(*node.otherwise, visit);
                 },
                 [&](Cast& node) { type_name(node.to); walk(*node.operand, visit); },
                 [&](Member& node) { walk(*node.object, visit); },
                 [&](Index& node) { walk(*node.object, visit); walk(*node.index, visit); },
                 [&](TupleLiteral& node) { for (Expr& member : node.members) walk(member, visit); },
                 [&](RecordLiteral& node) { for (auto& [name, member] : node.members) walk(member, visit); },
                 [&](SizeOf& node) {
                   std::visit(overload{[&](TypeName& type) { type_name(type); }, [&](Box<Expr>& of) { walk(*of, visit); }}, node.of);
                 },
                 [&](OffsetOf& node) {
                   std::visit(overload{[&](TypeName& type) { type_name(type); }, [&](Box<Expr>& of) { walk(*of, visit); }}, node.of);
                 },
                 [&](TypeOf& node) { type_name(node.type); },
                 [&](BlockExpr& node) { walk(node.block, visit); walk(*node.value, visit); },
             },
             expr.node);
}

/// Calls visit(Expr&) for every expression of a block.
template <typename Visit>
void walk(Block& block, const Visit& visit) {
  for (Statement& statement : block.statements)
    std::visit(overload{
                   [&](ExprStatement& node) { walk(node.value, visit); },
                   [&](Discard& node) { walk(node.value, visit); },
                   [&](Assign& node) { walk(node.target, visit); walk(node.value, visit); },
                   [&](Declare& node) { if (node.value) walk(*node.value, visit); },
                   [&](If& node) {
                     walk(node.condition, visit);
                     walk(node.then, visit);
                     if (node.otherwise) walk(*node.otherwise, visit);
                   },
                   [&](Unroll& node) { walk(node.count, visit); walk(node.body, visit); },
                   [&](While& node) { walk(node.condition, visit); walk(node.body, visit); },
                   [&](ForMap& node) { walk(node.body, visit); },
                   [&](ForRange& node) { walk(node.from, visit); walk(node.to, visit); walk(node.body, visit); },
                   [](Break&) {}, [](Continue&) {},
                   [&](Return& node) { if (node.value) walk(*node.value, visit); },
                   [](Import&) {},
                   [&](Block& node) { walk(node, visit); },
               },
               statement.node);
}

}  // namespace espy::trace
