// Operators with two sides.
//
// Arithmetic is done in 64 bits: signed if one side is, where literals that are not negative go with either. Both sides are
// converted to the type that they are calculated or compared in.
#include <fmt/format.h>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

std::string_view spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::add: return "+";
    case BinaryOp::sub: return "-";
    case BinaryOp::mul: return "*";
    case BinaryOp::div: return "/";
    case BinaryOp::mod: return "%";
    case BinaryOp::bit_and: return "&";
    case BinaryOp::bit_or: return "|";
    case BinaryOp::bit_xor: return "^";
    case BinaryOp::shift_left: return "<<";
    case BinaryOp::shift_right: return ">>";
    case BinaryOp::logical_and: return "&&";
    case BinaryOp::logical_or: return "||";
    case BinaryOp::equal: return "==";
    case BinaryOp::not_equal: return "!=";
    case BinaryOp::less: return "<";
    case BinaryOp::less_equal: return "<=";
    case BinaryOp::greater: return ">";
    case BinaryOp::greater_equal: return ">=";
  }
  return {};
}

bool is_comparison(BinaryOp op) { return op >= BinaryOp::equal; }
bool is_logical(BinaryOp op) { return op == BinaryOp::logical_and || op == BinaryOp::logical_or; }
bool is_shift(BinaryOp op) { return op == BinaryOp::shift_left || op == BinaryOp::shift_right; }

/// What two integers are calculated in.
Type common_integer(const Type& left, const Type& right) {
  const Type a = wide_integer(left), b = wide_integer(right);
  if (a.is_flexible && b.is_flexible) return a;
  if (a.is_flexible) return b;
  if (b.is_flexible) return a;
  return integer_type(8, a.is_signed || b.is_signed);
}

Type settled(Type type) {
  type.is_flexible = false;
  return type;
}

}  // namespace

void Checker::as_number(Expr& expr) {
  if (!is_castable_aggregate(expr.type)) return;
  const Type number = wide_integer(expr.type);
  if (!final_) {
    expr.type = number;
    return;
  }
  const Span at = expr.at;
  Expr inner = std::move(expr);
  expr = {.node = Cast{.to = {}, .operand = std::move(inner)}, .at = at, .type = number};
}

/// The type of `left op right` where the operands have types already: also of compound assignments.
Type Checker::result_of(Span at, BinaryOp op, const Expr& left, const Expr& right) {
  const Type& a = left.type;
  const Type& b = right.type;
  if (is_unknown(a) || is_unknown(b)) return unknown_type();
  if (a.kind == Kind::pointer && (op == BinaryOp::add || op == BinaryOp::sub) && is_integer_like(b)) return a;
  if (!is_integer_like(a) || !is_integer_like(b)) {
    std::string hint;
    if (a.kind == Kind::pointer || b.kind == Kind::pointer) hint = "cast the pointer to an integer: `(uint64)p`";
    else if (a.kind == Kind::string && b.kind == Kind::string && op == BinaryOp::add) hint = "use str_concat(a, b)";
    return refuse(at, fmt::format("`{}` does not take a `{}` and a `{}`", spelling(op), to_string(a), to_string(b)), std::move(hint));
  }
  auto divisor = constant_integer(right);
  if ((op == BinaryOp::div || op == BinaryOp::mod) && divisor == 0) warning(at, "division by zero", "the result is 0, and of % the left side");
  if (is_shift(op) && divisor && *divisor > 63) warning(at, fmt::format("a shift by {} bits: values have 64", *divisor));
  if (is_shift(op)) return settled(wide_integer(a));
  if (op == BinaryOp::sub) return int64_type();
  return settled(common_integer(a, b));
}

Type Checker::arithmetic(Expr& expr, Binary& node) {
  Expr& left = *node.left;
  Expr& right = *node.right;
  // Two literals make a literal.
  if (left.type.is_flexible && right.type.is_flexible)
    if (auto folded = fold_binary(expr, node))
      if (auto* number = std::get_if<Integer>(&*folded)) return literal_type(*number);
  Type result = result_of(expr.at, node.op, left, right);
  if (is_unknown(result)) return result;
  // A subtraction is signed whatever it is made of, but for the sides as they are.
  const Type operands = is_shift(node.op) ? result : settled(common_integer(left.type, right.type));
  read_as(left, node.op == BinaryOp::sub ? operands : result);
  if (is_shift(node.op)) convert(right, settled(wide_integer(right.type)));
  else read_as(right, node.op == BinaryOp::sub ? operands : result);
  return result;
}

Type Checker::pointer_arithmetic(Expr& expr, Binary& node) {
  Expr& left = *node.left;
  Expr& right = *node.right;
  const bool flipped = right.type.kind == Kind::pointer;
  Expr& pointer = flipped ? right : left;
  Expr& number = flipped ? left : right;
  if (flipped && node.op == BinaryOp::sub) {
    if (left.type.kind == Kind::pointer) return refuse(expr.at, "pointers cannot be subtracted", "cast both to integers: `(uint64)p`");
    return refuse(expr.at, "the pointer stands left in a subtraction");
  }
  if (node.op != BinaryOp::add && node.op != BinaryOp::sub) return result_of(expr.at, node.op, left, right);
  if (number.type.kind == Kind::pointer) return refuse(expr.at, "pointers cannot be added");
  if (!is_integer_like(number.type)) return result_of(expr.at, node.op, left, right);
  convert(number, settled(wide_integer(number.type)));
  return pointer.type;
}

Type Checker::compare(Expr& expr, Binary& node) {
  Expr& left = *node.left;
  Expr& right = *node.right;
  const Type& a = left.type;
  const Type& b = right.type;
  const bool equality = node.op == BinaryOp::equal || node.op == BinaryOp::not_equal;
  const auto wrong = [&](std::string hint) {
    return refuse(expr.at, fmt::format("`{}` does not compare a `{}` with a `{}`", spelling(node.op), to_string(a), to_string(b)), std::move(hint));
  };
  if (is_integer_like(a) && is_integer_like(b)) {
    if (a.kind == Kind::boolean && b.kind == Kind::boolean) return boolean_type();
    const Type common = settled(common_integer(a, b));
    // Enumerators keep their type as long as they are alone.
    read_as(left, common);
    read_as(right, common);
    return boolean_type();
  }
  if (a.kind == Kind::pointer && b.kind == Kind::pointer) return boolean_type();
  if (a.kind == Kind::pointer && is_integer_like(b)) return convert(right, uint64_type()), boolean_type();
  if (b.kind == Kind::pointer && is_integer_like(a)) return convert(left, uint64_type()), boolean_type();
  if (a.kind != b.kind) {
    const bool text = a.kind == Kind::string || b.kind == Kind::string;
    const Type& other = a.kind == Kind::string ? b : a;
    if (text && other.kind == Kind::pointer) return wrong("read the string first: `str(p)`");
    if (text && other.kind == Kind::username) return wrong("a user's name is looked up when it is printed: compare `uid`");
    return wrong("");
  }
  if (!equality) return wrong(a.kind == Kind::string ? "strings are equal or not; strncmp() tells no order either" : "");
  switch (a.kind) {
    case Kind::string: case Kind::buffer: case Kind::inet: case Kind::mac: case Kind::cgroup_path: case Kind::ksym: case Kind::usym:
    case Kind::kstack: case Kind::ustack: case Kind::username: case Kind::timestamp: case Kind::probe_name: case Kind::strerror:
    case Kind::signal_name: case Kind::syscall_name: case Kind::gfp_flags:
      return boolean_type();
    case Kind::array:
      return same_type(a, b) ? boolean_type() : wrong("arrays are compared with arrays of the same kind and length");
    case Kind::tuple: case Kind::record: {
      auto joined = join_types(a, b);
      if (!joined) return wrong("");
      convert(left, *joined);
      convert(right, *joined);
      return boolean_type();
    }
    default: return wrong("");
  }
}

Type Checker::binary(Expr& expr, Binary& node) {
  expression(*node.left);
  expression(*node.right);
  as_number(*node.left);
  as_number(*node.right);
  const Type& a = node.left->type;
  const Type& b = node.right->type;
  if (is_unknown(a) || is_unknown(b)) return unknown_type();
  if (is_logical(node.op)) {
    for (Expr* side : {&*node.left, &*node.right})
      if (!is_number(side->type)) return refuse(side->at, fmt::format("`{}` takes numbers and pointers, and this is a `{}`", spelling(node.op), to_string(side->type)),
                                                side->type.kind == Kind::string ? "compare it: `!= \"\"`" : "");
    return boolean_type();
  }
  if (is_comparison(node.op)) return compare(expr, node);
  if (a.kind == Kind::pointer || b.kind == Kind::pointer) return pointer_arithmetic(expr, node);
  return arithmetic(expr, node);
}

}  // namespace espy::trace
