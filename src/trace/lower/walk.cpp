#include "trace/lower/walk.hpp"

#include <type_traits>

#include "trace/builtins.hpp"
#include "trace/functions.hpp"

namespace espy::trace::lowering {
namespace {

struct Children {
  const Visitor& visitor;

  // Any node's parts, by their types: what is no part of the tree is passed over.
  void of(const Expr& e) const { walk(e, visitor); }
  void of(const Statement& s) const { walk(s, visitor); }
  void of(const Block& block) const { walk(block, visitor); }
  template <typename T> void of(const Box<T>& box) const { of(*box); }
  template <typename T> void of(const std::optional<T>& maybe) const { if (maybe) of(*maybe); }

  void in(const Unary& n) const { of(n.operand); }
  void in(const Binary& n) const { of(n.left), of(n.right); }
  void in(const Ternary& n) const { of(n.condition), of(n.then), of(n.otherwise); }
  void in(const Cast& n) const { of(n.operand); }
  void in(const Member& n) const { of(n.object); }
  void in(const Index& n) const { of(n.object), of(n.index); }
  void in(const MapAccess& n) const { of(n.key); }
  void in(const Call& n) const { for (const Expr& e : n.arguments) of(e); }
  void in(const TupleLiteral& n) const { for (const Expr& e : n.members) of(e); }
  void in(const RecordLiteral& n) const { for (const auto& [name, e] : n.members) of(e); }
  void in(const BlockExpr& n) const { of(n.block), of(n.value); }
  void in(const ExprStatement& n) const { of(n.value); }
  void in(const Discard& n) const { of(n.value); }
  void in(const Assign& n) const { of(n.target), of(n.value); }
  void in(const Declare& n) const { of(n.value); }
  void in(const If& n) const { of(n.condition), of(n.then), of(n.otherwise); }
  void in(const Unroll& n) const { of(n.count), of(n.body); }
  void in(const While& n) const { of(n.condition), of(n.body); }
  void in(const ForMap& n) const { of(n.body); }
  void in(const ForRange& n) const { of(n.from), of(n.to), of(n.body); }
  void in(const Return& n) const { of(n.value); }
  void in(const Block& n) const { for (const Statement& s : n.statements) of(s); }
  template <typename Leaf> void in(const Leaf&) const {}
};

VariableUse use_of(const std::function<void(const Visitor&)>& walked) {
  VariableUse use;
  Visitor visitor;
  visitor.expr = [&](const Expr& e) {
    if (const auto* variable = std::get_if<Variable>(&e.node)) use.used.insert(variable->id);
    if (const auto* called = std::get_if<Call>(&e.node)) {
      use.returns = use.returns || (called->function != nullptr && called->function->id == FunctionId::exit);
      // find(@m, k, $v) writes its last argument.
      if (called->function != nullptr && called->function->id == FunctionId::find)
        for (const Expr& argument : called->arguments)
          if (const auto* variable = std::get_if<Variable>(&argument.node)) use.changed.insert(variable->id);
    }
    const auto* unary = std::get_if<Unary>(&e.node);
    if (unary == nullptr) return;
    const auto* variable = std::get_if<Variable>(&unary->operand->node);
    if (variable == nullptr) return;
    switch (unary->op) {
      case UnaryOp::pre_increment: case UnaryOp::pre_decrement: case UnaryOp::post_increment: case UnaryOp::post_decrement:
        use.changed.insert(variable->id);
        break;
      case UnaryOp::address_of: use.address_taken.insert(variable->id); break;
      default: break;
    }
  };
  visitor.statement = [&](const Statement& s) {
    if (const auto* assign = std::get_if<Assign>(&s.node))
      if (const auto* variable = std::get_if<Variable>(&assign->target.node)) use.changed.insert(variable->id);
    if (const auto* declare = std::get_if<Declare>(&s.node)) use.used.insert(declare->variable.id), use.changed.insert(declare->variable.id);
    if (const auto* range = std::get_if<ForRange>(&s.node)) use.used.insert(range->binding.id), use.changed.insert(range->binding.id);
    if (const auto* each = std::get_if<ForMap>(&s.node)) use.used.insert(each->binding.id), use.changed.insert(each->binding.id);
    use.returns = use.returns || std::holds_alternative<Return>(s.node);
  };
  walked(visitor);
  return use;
}

}  // namespace

void walk(const Expr& e, const Visitor& visitor) {
  if (visitor.expr) visitor.expr(e);
  std::visit([&](const auto& node) { Children{visitor}.in(node); }, e.node);
}

void walk(const Statement& s, const Visitor& visitor) {
  if (visitor.statement) visitor.statement(s);
  std::visit([&](const auto& node) { Children{visitor}.in(node); }, s.node);
}

void walk(const Block& block, const Visitor& visitor) {
  for (const Statement& s : block.statements) walk(s, visitor);
}

std::set<std::uint32_t> decide_turns(const Block& block) {
  std::set<std::uint32_t> out;
  const auto add = [&](const Expr& e) {
    const std::size_t before = out.size();
    out.merge(variables_of(e).used);
    return out.size() != before;
  };
  walk(block, {.statement = [&](const Statement& s) {
    if (const auto* range = std::get_if<ForRange>(&s.node)) add(range->from), add(range->to);
    const auto* loop = std::get_if<While>(&s.node);
    if (loop == nullptr) return;
    add(loop->condition);
    walk(loop->body, {.statement = [&](const Statement& inner) {
      if (const auto* branch = std::get_if<If>(&inner.node)) add(branch->condition);   // it may lead to a `break`
    }});
  }});
  // And what those are made of.
  for (bool grown = !out.empty(); grown;) {
    grown = false;
    walk(block, {.statement = [&](const Statement& s) {
      if (const auto* assign = std::get_if<Assign>(&s.node))
        if (const auto* to = std::get_if<Variable>(&assign->target.node); to != nullptr && out.contains(to->id)) grown |= add(assign->value);
      if (const auto* declare = std::get_if<Declare>(&s.node))
        if (declare->value && out.contains(declare->variable.id)) grown |= add(*declare->value);
    }});
  }
  return out;
}

bool is_probe_name(const Expr& e) {
  const auto* word = std::get_if<Identifier>(&e.node);
  return word != nullptr && word->builtin != nullptr && word->builtin->id == BuiltinId::probe;
}

VariableUse variables_of(const Block& block) {
  return use_of([&](const Visitor& visitor) { walk(block, visitor); });
}
VariableUse variables_of(const Expr& e) {
  return use_of([&](const Visitor& visitor) { walk(e, visitor); });
}

}  // namespace espy::trace::lowering
