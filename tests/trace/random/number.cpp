#include "number.hpp"

#include <algorithm>

namespace espy::test {
namespace {

bool is_comparison(std::string_view op) { return op == "==" || op == "!=" || op[0] == '<' ? op != "<<" : op[0] == '>' && op != ">>"; }
bool is_shift(std::string_view op) { return op == "<<" || op == ">>"; }

// Booleans and literals are calculated as signed numbers that take the other side's sign.
Width wide(Width type) {
  bool either = type.is_boolean || type.is_literal;
  return {.is_signed = either || type.is_signed, .is_literal = either};
}

std::uint64_t divided(std::uint64_t a, std::uint64_t b, bool is_signed, bool remainder) {
  if (b == 0) return remainder ? a : 0;
  if (!is_signed) return remainder ? a % b : a / b;
  if (b == ~std::uint64_t{0}) return remainder ? 0 : 0 - a;
  auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
  return static_cast<std::uint64_t>(remainder ? x % y : x / y);
}

bool compared(std::string_view op, std::uint64_t a, std::uint64_t b, bool is_signed) {
  bool less = is_signed ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return less;
  if (op == "<=") return less || a == b;
  if (op == ">") return !less && a != b;
  return !less;
}

}  // namespace

std::string spelled(Width type) {
  return type.is_boolean ? "bool" : (type.is_signed ? "int" : "uint") + std::to_string(type.bytes * 8);
}

std::uint64_t fitted(std::uint64_t value, Width type) {
  if (type.is_boolean) return value != 0 ? 1 : 0;
  if (type.bytes == 8) return value;
  std::uint64_t mask = (std::uint64_t{1} << type.bytes * 8) - 1, sign = (mask >> 1) + 1;
  value &= mask;
  return type.is_signed && (value & sign) != 0 ? value | ~mask : value;
}

Width literal(std::int64_t value) {
  unsigned bytes = 1;
  while (bytes < 8 && static_cast<std::int64_t>(fitted(static_cast<std::uint64_t>(value), {.bytes = bytes})) != value) bytes *= 2;
  return {.bytes = bytes, .is_literal = value >= 0};
}

Width common(Width left, Width right) {
  Width a = wide(left), b = wide(right);
  if (a.is_literal && b.is_literal) return a;
  if (a.is_literal) return b;
  if (b.is_literal) return a;
  return {.is_signed = a.is_signed || b.is_signed};
}

Width joined(Width left, Width right) {
  if (left.is_boolean && right.is_boolean) return left;
  for (Width* side : {&left, &right}) {
    if (side->is_boolean) *side = {.bytes = 1, .is_literal = true};
  }
  unsigned bytes = std::max(left.bytes, right.bytes);
  if (left.is_signed == right.is_signed) return {.bytes = bytes, .is_signed = left.is_signed, .is_literal = left.is_literal && right.is_literal};
  Width with = left.is_signed ? left : right, without = left.is_signed ? right : left;
  if (with.is_literal) return {.bytes = bytes, .is_signed = false};
  if (with.bytes > without.bytes) return with;
  return {.bytes = std::min(8U, without.bytes * 2)};
}

Width type_of(std::string_view op, Width left, Width right) {
  if (is_comparison(op)) return kBool;
  Width type = is_shift(op) ? wide(left) : op == "-" ? kInt64 : common(left, right);
  type.is_literal = false;
  return type;
}

Number calculate(std::string_view op, Number left, Number right) {
  Width type = type_of(op, left.type, right.type);
  std::uint64_t a = left.value, b = right.value;
  if (is_comparison(op)) return {compared(op, a, b, common(left.type, right.type).is_signed), type};
  if (op == "<<") return {a << (b & 63), type};
  if (op == ">>") return {type.is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(a) >> (b & 63)) : a >> (b & 63), type};
  switch (op[0]) {
    case '+': return {a + b, type};
    case '-': return {a - b, type};
    case '*': return {a * b, type};
    case '&': return {a & b, type};
    case '|': return {a | b, type};
    case '^': return {a ^ b, type};
    default: return {divided(a, b, type.is_signed, op == "%"), type};
  }
}

std::string printed(Number number) {
  return number.type.is_signed ? std::to_string(static_cast<std::int64_t>(number.value)) : std::to_string(number.value);
}

}  // namespace espy::test
