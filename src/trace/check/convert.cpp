// How types come together: what one variable can hold, and what makes a value fit.
#include <algorithm>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

/// Bytes of the smallest signed integer that holds it.
std::uint32_t signed_bytes(std::int64_t value) {
  for (std::uint32_t bytes : {1U, 2U, 4U}) {
    const std::int64_t limit = std::int64_t{1} << (bytes * 8 - 1);
    if (value >= -limit && value < limit) return bytes;
  }
  return 8;
}

std::optional<Type> join_integers(const Type& a, const Type& b) {
  Type out = integer_type(std::max(a.size, b.size), a.is_signed || b.is_signed);
  out.is_flexible = a.is_flexible && b.is_flexible;
  if (a.is_signed == b.is_signed) return out;
  const Type& with_sign = a.is_signed ? a : b;
  const Type& without = a.is_signed ? b : a;
  // Literals that are not negative go with what has no sign.
  if (with_sign.is_flexible) {
    out.is_signed = false;
    return out;
  }
  if (with_sign.size > without.size) return with_sign;
  if (without.size == 8) return std::nullopt;
  return integer_type(without.size * 2, true);
}

std::optional<Type> join_fields(const Type& a, const Type& b) {
  if (!a.fields || !b.fields || a.fields->size() != b.fields->size()) return std::nullopt;
  if (same_type(a, b)) {
    bool literal = false;
    for (const Field& field : *a.fields) literal |= field.type.is_flexible || field.type.fields;
    if (!literal) return a;
  }
  std::vector<Field> fields;
  for (std::size_t i = 0; i < a.fields->size(); ++i) {
    const Field& left = (*a.fields)[i];
    const Field& right = (*b.fields)[i];
    if (left.name != right.name) return std::nullopt;
    auto type = join_types(left.type, right.type);
    if (!type) return std::nullopt;
    fields.push_back({.name = left.name, .type = std::move(*type)});
  }
  if (a.kind == Kind::record) return record_of(std::move(fields));
  std::vector<Type> members;
  for (Field& field : fields) members.push_back(std::move(field.type));
  return tuple_of(std::move(members));
}

std::optional<Type> join_pointers(const Type& a, const Type& b) {
  const bool anything_a = !a.element || a.element->kind == Kind::none, anything_b = !b.element || b.element->kind == Kind::none;
  if (!anything_a && !anything_b && !same_type(*a.element, *b.element)) return std::nullopt;
  Type out = anything_a ? b : a;
  if (a.space != b.space) out.space = a.space == Space::user || b.space == Space::user ? Space::none : Space::kernel;
  return out;
}

}  // namespace

Type literal_type(const Integer& literal) {
  const auto value = static_cast<std::int64_t>(literal.value);
  if (literal.is_unsigned && value < 0) return uint64_type();
  Type type = integer_type(signed_bytes(value), true);
  type.is_flexible = value >= 0;
  return type;
}

bool is_castable_aggregate(const Type& type) {
  switch (type.kind) {
    case Kind::count: case Kind::sum: case Kind::min: case Kind::max: case Kind::avg: return true;
    default: return false;
  }
}

bool is_integer_like(const Type& type) {
  return type.kind == Kind::integer || type.kind == Kind::boolean || type.kind == Kind::enumeration || is_castable_aggregate(type);
}

bool is_number(const Type& type) { return is_integer_like(type) || type.kind == Kind::pointer; }

Type wide_integer(const Type& type) {
  if (type.kind == Kind::boolean || type.is_flexible) {
    Type wide = int64_type();
    wide.is_flexible = true;
    return wide;
  }
  if (type.kind == Kind::count) return int64_type();
  return integer_type(8, type.is_signed);
}

Type stored_type(Type type, bool in_map) {
  if (type.kind == Kind::structure || type.kind == Kind::array || type.kind == Kind::string) type.space = Space::bpf;
  // What the verifier knows of a pointer does not outlive the program.
  if (in_map && type.kind == Kind::pointer && type.space == Space::btf) type.space = Space::kernel;
  return type;
}

std::optional<Type> join_types(const Type& a, const Type& b) {
  if (is_unknown(a)) return b;
  if (is_unknown(b)) return a;
  const bool integers = (a.kind == Kind::integer || a.kind == Kind::boolean || a.kind == Kind::enumeration) &&
                        (b.kind == Kind::integer || b.kind == Kind::boolean || b.kind == Kind::enumeration);
  if (integers && a.kind != b.kind) {
    const auto plain = [](const Type& type) {
      Type out = type.kind == Kind::boolean ? integer_type(1, true) : integer_type(type.size, type.is_signed);
      out.is_flexible = type.is_flexible || type.kind == Kind::boolean;
      return out;
    };
    return join_integers(plain(a), plain(b));
  }
  if (a.kind == Kind::pointer && b.kind == Kind::integer && b.is_flexible) return a;  // a null pointer
  if (b.kind == Kind::pointer && a.kind == Kind::integer && a.is_flexible) return b;
  if (a.kind != b.kind) return std::nullopt;
  switch (a.kind) {
    case Kind::integer: return join_integers(a, b);
    case Kind::string: case Kind::buffer: return a.size >= b.size ? a : b;
    case Kind::pointer: return join_pointers(a, b);
    case Kind::tuple: case Kind::record: return join_fields(a, b);
    case Kind::enumeration:
      if (same_type(a, b)) return a;
      return join_integers(integer_type(a.size, a.is_signed), integer_type(b.size, b.is_signed));
    case Kind::kstack: case Kind::ustack:
      if (a.mode != b.mode) return std::nullopt;
      return a.count >= b.count ? a : b;
    default: return same_type(a, b) ? std::optional(a) : std::nullopt;
  }
}

bool Checker::convertible(const Expr& expr, const Type& to) const {
  if (is_unknown(expr.type) || is_unknown(to)) return true;
  if (is_castable_aggregate(expr.type) && to.kind == Kind::integer) return true;
  auto joined = join_types(expr.type, to);
  if (!joined) return false;
  // What both can be is not more than what is wanted: an integer of the other sign or a longer string does not fit.
  if (to.kind == Kind::integer && joined->kind == Kind::integer) return joined->size <= to.size && (joined->is_signed == to.is_signed || expr.type.is_flexible);
  return joined->kind == to.kind && joined->size <= to.size;
}

bool Checker::convert(Expr& expr, const Type& to) {
  if (!convertible(expr, to)) return false;
  if (!final_ || is_unknown(expr.type) || is_unknown(to)) return true;
  if (same_type(expr.type, to)) {
    expr.type.is_flexible = false;
    return true;
  }
  if (expr.type.kind == Kind::pointer && to.kind == Kind::pointer) return true;
  if (auto* literal = std::get_if<Integer>(&expr.node); literal != nullptr && (to.kind == Kind::integer || to.kind == Kind::pointer)) {
    expr.type = to;
    return true;
  }
  if (auto* literal = std::get_if<String>(&expr.node); literal != nullptr && to.kind == Kind::string) {
    expr.type = to;
    return true;
  }
  const auto members_fit = [&](auto& members, auto member_of) {
    for (std::size_t i = 0; i < members.size(); ++i) convert(member_of(members[i]), (*to.fields)[i].type);
    expr.type = to;
    return true;
  };
  if (auto* literal = std::get_if<TupleLiteral>(&expr.node); literal != nullptr && to.kind == Kind::tuple)
    return members_fit(literal->members, [](Expr& member) -> Expr& { return member; });
  if (auto* literal = std::get_if<RecordLiteral>(&expr.node); literal != nullptr && to.kind == Kind::record)
    return members_fit(literal->members, [](auto& member) -> Expr& { return member.second; });
  const Span at = expr.at;
  Expr inner = std::move(expr);
  expr = {.node = Cast{.to = {}, .operand = std::move(inner)}, .at = at, .type = to};
  return true;
}

void Checker::read_as(Expr& expr, const Type& to) {
  if (convert(expr, to) || !final_ || !is_integer_like(expr.type) || !is_integer_like(to)) return;
  const Span at = expr.at;
  Expr inner = std::move(expr);
  expr = {.node = Cast{.to = {}, .operand = std::move(inner)}, .at = at, .type = to};
}

}  // namespace espy::trace
