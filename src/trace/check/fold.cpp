// Constants: what an expression is worth while compiling, and the literal that it becomes.
#include <limits>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

std::int64_t as_signed(const Integer& number) { return static_cast<std::int64_t>(number.value); }

Integer signed_number(std::int64_t value) { return {.value = static_cast<std::uint64_t>(value)}; }

/// Cuts a value to an integer type's width.
Integer narrowed(Integer number, const Type& type) {
  if (type.kind == Kind::boolean) return {.value = number.value != 0 ? 1U : 0U};
  if (type.size < 8) {
    const unsigned drop = 64 - type.size * 8;
    number.value <<= drop;
    number.value = type.is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(number.value) >> drop) : number.value >> drop;
  }
  number.is_unsigned = !type.is_signed;
  number.spelling.clear();
  return number;
}

std::optional<Integer> number_of(const Constant& constant) {
  if (auto* number = std::get_if<Integer>(&constant)) return *number;
  if (auto* flag = std::get_if<Boolean>(&constant)) return Integer{.value = flag->value ? 1U : 0U};
  return std::nullopt;
}

bool truth(const Constant& constant) {
  if (auto number = number_of(constant)) return number->value != 0;
  return !std::get<String>(constant).value.empty();
}

std::optional<Integer> divide(BinaryOp op, std::uint64_t a, std::uint64_t b, bool is_signed) {
  if (b == 0) return std::nullopt;
  const bool modulo = op == BinaryOp::mod;
  if (!is_signed) return Integer{.value = modulo ? a % b : a / b, .is_unsigned = true};
  const auto left = static_cast<std::int64_t>(a), right = static_cast<std::int64_t>(b);
  if (right == -1) return modulo ? Integer{} : Integer{.value = 0 - a};  // the least number has no negative
  return signed_number(modulo ? left % right : left / right);
}

std::optional<Constant> calculate(BinaryOp op, const Integer& a, const Integer& b) {
  // A literal that is not negative goes with either sign.
  const bool is_signed = !(a.is_unsigned || b.is_unsigned) || (!a.is_unsigned && as_signed(a) < 0) || (!b.is_unsigned && as_signed(b) < 0);
  const std::uint64_t x = a.value, y = b.value;
  const auto whole = [&](std::uint64_t value) { return Constant(Integer{.value = value, .is_unsigned = !is_signed}); };
  const auto flag = [](bool value) { return Constant(Boolean{value}); };
  const bool less = is_signed ? as_signed(a) < as_signed(b) : x < y;
  switch (op) {
    case BinaryOp::add: return whole(x + y);
    case BinaryOp::sub: return Constant(Integer{.value = x - y});
    case BinaryOp::mul: return whole(x * y);
    case BinaryOp::div: case BinaryOp::mod: {
      auto out = divide(op, x, y, is_signed);
      return out ? std::optional<Constant>(*out) : std::nullopt;
    }
    case BinaryOp::bit_and: return whole(x & y);
    case BinaryOp::bit_or: return whole(x | y);
    case BinaryOp::bit_xor: return whole(x ^ y);
    case BinaryOp::shift_left:
      if (y > 63) return std::nullopt;
      return Constant(Integer{.value = x << y, .is_unsigned = a.is_unsigned});
    case BinaryOp::shift_right:
      if (y > 63) return std::nullopt;
      return a.is_unsigned ? Constant(Integer{.value = x >> y, .is_unsigned = true}) : Constant(signed_number(as_signed(a) >> y));
    case BinaryOp::logical_and: return flag(x != 0 && y != 0);
    case BinaryOp::logical_or: return flag(x != 0 || y != 0);
    case BinaryOp::equal: return flag(x == y);
    case BinaryOp::not_equal: return flag(x != y);
    case BinaryOp::less: return flag(less);
    case BinaryOp::less_equal: return flag(less || x == y);
    case BinaryOp::greater: return flag(!less && x != y);
    case BinaryOp::greater_equal: return flag(!less);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Constant> Checker::fold_binary(const Expr&, const Binary& node) {
  auto left = constant_of(*node.left);
  if (!left) return std::nullopt;
  // What decides alone needs no other side.
  if (node.op == BinaryOp::logical_and && !truth(*left)) return Boolean{false};
  if (node.op == BinaryOp::logical_or && truth(*left)) return Boolean{true};
  auto right = constant_of(*node.right);
  if (!right) return std::nullopt;
  auto a = number_of(*left), b = number_of(*right);
  if (a && b) return calculate(node.op, *a, *b);
  auto* s = std::get_if<String>(&*left);
  auto* t = std::get_if<String>(&*right);
  if (s == nullptr || t == nullptr) return std::nullopt;
  if (node.op == BinaryOp::equal) return Boolean{s->value == t->value};
  if (node.op == BinaryOp::not_equal) return Boolean{s->value != t->value};
  return std::nullopt;
}

std::optional<Constant> Checker::fold_unary(const Expr&, const Unary& node) {
  if (node.op != UnaryOp::minus && node.op != UnaryOp::logical_not && node.op != UnaryOp::bit_not) return std::nullopt;
  auto operand = constant_of(*node.operand);
  if (!operand) return std::nullopt;
  if (node.op == UnaryOp::logical_not) return Boolean{!truth(*operand)};
  auto number = number_of(*operand);
  if (!number) return std::nullopt;
  if (node.op == UnaryOp::minus) return Integer{.value = 0 - number->value};
  return Integer{.value = ~number->value, .is_unsigned = number->is_unsigned};
}

std::optional<Constant> Checker::constant_of(const Expr& expr) {
  return std::visit(
      overload{
          [](const Integer& node) -> std::optional<Constant> { return node; },
          [](const Boolean& node) -> std::optional<Constant> { return node; },
          [](const String& node) -> std::optional<Constant> { return node; },
          [&](const Identifier& node) -> std::optional<Constant> {
            if (node.builtin != nullptr || find_builtin(node.name) != nullptr) return std::nullopt;
            auto found = named_constant(node.name);
            return found ? std::optional(found->first) : std::nullopt;
          },
          [&](const Unary& node) { return fold_unary(expr, node); },
          [&](const Binary& node) { return fold_binary(expr, node); },
          [&](const Ternary& node) -> std::optional<Constant> {
            auto condition = constant_of(*node.condition);
            if (!condition) return std::nullopt;
            if (!truth(*condition)) return constant_of(*node.otherwise);
            return node.then ? constant_of(**node.then) : condition;
          },
          [&](const Cast& node) -> std::optional<Constant> {
            if (expr.type.kind != Kind::integer && expr.type.kind != Kind::boolean && expr.type.kind != Kind::enumeration) return std::nullopt;
            auto operand = constant_of(*node.operand);
            auto number = operand ? number_of(*operand) : std::nullopt;
            if (!number) return std::nullopt;
            const Integer out = narrowed(*number, expr.type);
            if (expr.type.kind == Kind::boolean) return Boolean{out.value != 0};
            return out;
          },
          // Known as soon as types are, before the last walk replaces them.
          [&](const Call& node) -> std::optional<Constant> {
            if (node.function == nullptr || node.arguments.size() != 1) return std::nullopt;
            auto holds = predicate_of(*node.function, node.arguments.front());
            return holds ? std::optional<Constant>(Boolean{*holds}) : std::nullopt;
          },
          [](const SizeOf& node) -> std::optional<Constant> {
            auto* of = std::get_if<Box<Expr>>(&node.of);
            if (of == nullptr || is_unknown((*of)->type) || (*of)->type.size == 0) return std::nullopt;
            return Integer{.value = (*of)->type.size};
          },
          [](const auto&) -> std::optional<Constant> { return std::nullopt; },
      },
      expr.node);
}

std::optional<std::uint64_t> Checker::constant_integer(const Expr& expr) {
  auto constant = constant_of(expr);
  auto number = constant ? number_of(*constant) : std::nullopt;
  return number ? std::optional(number->value) : std::nullopt;
}

std::optional<std::string> Checker::constant_string(const Expr& expr) {
  auto constant = constant_of(expr);
  if (!constant) return std::nullopt;
  auto* text = std::get_if<String>(&*constant);
  return text != nullptr ? std::optional(text->value) : std::nullopt;
}

void Checker::replace(Expr& expr, Constant constant) {
  std::visit([&](auto& value) { expr.node = std::move(value); }, constant);
}

void Checker::fold(Expr& expr) {
  const bool is_literal = std::holds_alternative<Integer>(expr.node) || std::holds_alternative<Boolean>(expr.node) ||
                          std::holds_alternative<String>(expr.node);
  if (is_literal || is_unknown(expr.type)) return;
  auto constant = constant_of(expr);
  if (!constant) return;
  if (auto* number = std::get_if<Integer>(&*constant); number != nullptr && expr.type.kind == Kind::integer && expr.type.size < 8)
    *number = narrowed(*number, expr.type);
  replace(expr, std::move(*constant));
}

}  // namespace espy::trace
