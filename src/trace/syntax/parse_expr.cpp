// Operators, by precedence as in C.
#include <fmt/format.h>

#include "trace/syntax/operators.hpp"
#include "trace/syntax/parse.hpp"

namespace espy::trace {

namespace {

/// How deep recursion and chains of operators together may make a tree is bounded: see Parser::too_deep.
struct InExpression {
  explicit InExpression(unsigned& depth) : depth(depth) { ++depth; }
  InExpression(const InExpression&) = delete;
  InExpression& operator=(const InExpression&) = delete;
  ~InExpression() { --depth; }
  unsigned& depth;
};

bool is_counted(const Expr& operand) {
  return std::holds_alternative<Variable>(operand.node) || std::holds_alternative<MapAccess>(operand.node);
}

constexpr std::string_view kOnlyPlaces = "only variables and maps can be counted up and down";

}  // namespace

/// An expression of which everything since `begin` is part.
Expr Parser::link(std::uint32_t begin, Expr::Node node) {
  ++links_;
  return {.node = std::move(node), .at = since(begin)};
}

Expr Parser::expression() {
  const Nest nest(*this);
  const InExpression inside(expression_depth_);
  if (too_deep()) return {.node = Integer{}};
  const std::uint32_t begin = peek().begin;
  Expr condition = binary(1);
  if (!accept(TokenKind::question)) return condition;
  std::optional<Box<Expr>> then;
  if (!at(TokenKind::colon)) then = expression();
  expect(TokenKind::colon, "between the two values of `?`");
  Expr otherwise = expression();
  return link(begin, Ternary{std::move(condition), std::move(then), std::move(otherwise)});
}

Expr Parser::binary(unsigned least) {
  const std::uint32_t begin = peek().begin;
  Expr left = unary();
  for (;;) {
    const Token op = peek();
    const BinaryRow* row = binary_row(op.kind);
    if (!row || row->precedence < least || too_deep()) return left;
    // The slash that a block follows is the predicate's end.
    if (in_predicate_ && op.kind == TokenKind::slash && byte(lexer_.skip_space(op.end)) == '{') return left;
    take();
    Expr right = binary(row->precedence + 1);
    left = link(begin, Binary{row->op, std::move(left), std::move(right), span(op)});
  }
}

Expr Parser::unary() {
  const Token op = peek();
  const UnaryRow* row = unary_row(op.kind);
  if (!row && op.kind != TokenKind::left_paren) return postfix();
  if (!row && !is_cast()) return postfix();
  const Nest nest(*this);
  if (too_deep()) return {.node = Integer{}};
  take();
  if (!row) {
    TypeName type = type_name();
    expect(TokenKind::right_paren, "after the type of a cast");
    Expr operand = unary();
    return link(op.begin, Cast{std::move(type), std::move(operand)});
  }
  Expr operand = unary();
  const bool counts = row->op == UnaryOp::pre_increment || row->op == UnaryOp::pre_decrement;
  if (counts && !is_counted(operand)) error(operand.at, std::string(kOnlyPlaces));
  return link(op.begin, Unary{row->op, std::move(operand)});
}

Expr Parser::postfix() { return suffixes(primary()); }

Expr Parser::suffixes(Expr object) {
  for (const std::uint32_t begin = object.at.begin;;) {
    const Token op = peek();
    if (too_deep()) return object;
    switch (op.kind) {
      case TokenKind::dot:
      case TokenKind::arrow: {
        take();
        const Token name = peek();
        const bool is_number = name.kind == TokenKind::integer;
        if (is_number && std::holds_alternative<Integer>(object.node) && !object.in_parentheses) {
          error(span(begin, name.end), "there are no floating-point numbers", "count in smaller units: 1500 instead of 1.5 thousand");
          return object;
        }
        if (!is_number && name.kind != TokenKind::identifier) {
          expected("a field's name or a number", "fields are read as value.field, a tuple's as value.0");
          return object;
        }
        take();
        object = link(begin, Member{std::move(object), std::string(text(name)), op.kind == TokenKind::arrow, span(name)});
        break;
      }
      case TokenKind::left_bracket: {
        take();
        Expr index = expression();
        expect(TokenKind::right_bracket, "after the index");
        object = link(begin, Index{std::move(object), std::move(index)});
        break;
      }
      case TokenKind::increment:
      case TokenKind::decrement: {
        if (!is_counted(object)) error(object.at, std::string(kOnlyPlaces));
        take();
        object = link(begin, Unary{op.kind == TokenKind::increment ? UnaryOp::post_increment : UnaryOp::post_decrement, std::move(object)});
        break;
      }
      default: return object;
    }
  }
}

}  // namespace espy::trace
