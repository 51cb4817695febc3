// Scalars: constants, variables, operators, conditions.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

// ---- types ----

ir::Type Lowering::ir_type(const Type& type) {
  if (type.kind != Kind::pointer) return kI64;
  switch (type.space) {
    case Space::btf: return ir::ptr(ir::Space::kernel);
    case Space::context: return ir::ptr(ir::Space::ctx);
    case Space::bpf: return ir::ptr(ir::Space::memory);
    default: return kI64;
  }
}

ValueId Lowering::as_number(ValueId value) {
  const ir::Type type = fn().type_of(value);
  if (type.is_ptr()) return b.ptr_to_int(value);
  return type == ir::kI1 ? b.zext(value, 1) : value;
}

ValueId Lowering::as_type(ValueId value, const Type& type) {
  const ir::Type wanted = ir_type(type), had = fn().type_of(value);
  if (wanted == had) return value;
  if (!wanted.is_ptr()) return as_number(value);
  if (had.is_ptr()) return b.ptr_cast(value, wanted.space);
  if (const auto* known = fn().constant_value(value); known != nullptr && *known == 0) return b.null(wanted.space);
  return b.int_to_ptr(value, wanted.space);
}

ValueId Lowering::fit(ValueId value, const Type& type) {
  if (type.kind == Kind::boolean) return value;
  if (type.size == 0 || type.size >= 8 || (type.kind != Kind::integer && type.kind != Kind::enumeration)) return value;
  return type.is_signed ? b.sext(value, 8 * type.size) : b.zext(value, 8 * type.size);
}

namespace {

bool is_comparison(BinaryOp op) { return op >= BinaryOp::equal; }

bool holds_string(const Type& type) {
  return type.kind == Kind::string || type.kind == Kind::buffer || type.kind == Kind::array;
}

/// Whether two numbers are compared as unsigned: where one is as wide as a register and unsigned, as C has it.
bool unsigned_comparison(const Type& left, const Type& right) {
  const auto wide = [](const Type& t) { return t.kind == Kind::pointer || (!t.is_signed && t.size == 8); };
  return wide(left) || wide(right) || (!left.is_signed && !right.is_signed);
}

std::optional<std::int64_t> integer_of(const Expr& e) {
  if (const auto* literal = std::get_if<Integer>(&e.node)) return static_cast<std::int64_t>(literal->value);
  if (const auto* literal = std::get_if<Boolean>(&e.node)) return literal->value ? 1 : 0;
  if (const auto* cast = std::get_if<Cast>(&e.node); cast != nullptr && e.type.kind == Kind::integer && e.type.size == 8) return integer_of(*cast->operand);
  return std::nullopt;
}

Op comparison(BinaryOp op, bool is_unsigned) {
  switch (op) {
    case BinaryOp::equal: return Op::eq;
    case BinaryOp::not_equal: return Op::ne;
    case BinaryOp::less: return is_unsigned ? Op::ult : Op::slt;
    case BinaryOp::less_equal: return is_unsigned ? Op::ule : Op::sle;
    case BinaryOp::greater: return is_unsigned ? Op::ugt : Op::sgt;
    default: return is_unsigned ? Op::uge : Op::sge;
  }
}

}  // namespace

// ---- conditions ----

ValueId Lowering::truth(const Expr& e) {
  if (const auto* binary = std::get_if<Binary>(&e.node); binary != nullptr && is_comparison(binary->op)) return compare(*binary);
  const ValueId value = scalar(e);
  const ir::Type type = fn().type_of(value);
  return b.ne(value, type.is_ptr() ? b.null(type.space) : b.constant(type, 0));
}

ValueId Lowering::compare(const Binary& binary) {
  const Type& left = binary.left->type;
  const Type& right = binary.right->type;
  const bool equality = binary.op == BinaryOp::equal || binary.op == BinaryOp::not_equal;
  if (equality && (!left.is_scalar() || !right.is_scalar()) && !left.is_aggregate() && !right.is_aggregate()) {
    const ValueId same = holds_string(left) || holds_string(right) ? bytes_equal(*binary.left, *binary.right)
                                                                   : values_equal(*binary.left, *binary.right);
    return binary.op == BinaryOp::equal ? same : b.not_(same);
  }
  const auto [a, c] = numbers(*binary.left, *binary.right);
  return b.compare(comparison(binary.op, unsigned_comparison(left, right)), a, c);
}

ValueId Lowering::values_equal(const Expr& left, const Expr& right) {
  const std::uint32_t size = std::min(left.type.size, right.type.size);
  const Address a = bytes_of(left, Padding::zero), c = bytes_of(right, Padding::zero);
  ValueId difference = kNoValue;
  for (std::uint32_t at = 0; at < size;) {
    unsigned width = 8;
    while (width > 1 && at + width > size) width /= 2;
    const ValueId here = b.xor_(load_number(a + at, width), load_number(c + at, width));
    difference = difference == kNoValue ? here : b.or_(difference, here);
    at += width;
  }
  return difference == kNoValue ? b.i1(true) : b.eq(difference, i64(0));
}

void Lowering::condition(const Expr& e, Join& yes, Join& no) {
  if (const auto* binary = std::get_if<Binary>(&e.node);
      binary != nullptr && (binary->op == BinaryOp::logical_and || binary->op == BinaryOp::logical_or)) {
    Join second;
    if (binary->op == BinaryOp::logical_and) condition(*binary->left, second, no);
    else condition(*binary->left, yes, second);
    if (second.ways.empty()) return;
    enter(second);
    condition(*binary->right, yes, no);
    return;
  }
  if (const auto* unary = std::get_if<Unary>(&e.node); unary != nullptr && unary->op == UnaryOp::logical_not)
    return condition(*unary->operand, no, yes);
  if (const auto known = integer_of(e)) return go(*known != 0 ? yes : no);
  if (const auto* cast = std::get_if<Cast>(&e.node);
      cast != nullptr && e.type.kind == Kind::boolean && cast->operand->type.is_scalar())
    return condition(*cast->operand, yes, no);
  // A missing element is 0, so it leads to `no` at once, and behind `yes` the element is known to be there.
  const auto* access = std::get_if<MapAccess>(&e.node);
  if (access != nullptr && e.type.is_scalar() && access->key) {
    KnownElement found = lookup(*access);
    if (!found.present) {
      Join there;
      branch(b.ne(found.pointer, b.null(ir::Space::map_value)), there, no);
      enter(there);
      if (KnownElement* known = env.find_element(found.map, found.key)) known->present = true;
    }
    branch(b.ne(load_number({found.pointer, 0}, std::clamp<std::uint32_t>(e.type.size, 1, 8)), i64(0)), yes, no);
    return;
  }
  branch(truth(e), yes, no);
}

// ---- scalars ----

std::pair<ValueId, ValueId> Lowering::numbers(const Expr& left, const Expr& right) {
  const ValueId first = number(left);
  const bool deep = std::holds_alternative<Binary>(right.node) || std::holds_alternative<Ternary>(right.node) || std::holds_alternative<Call>(right.node);
  if (unit.economy != Economy::variables || !deep || scratch_area.base == kNoValue || fn().constant_value(first) != nullptr)
    return {first, number(right)};
  const Address aside = temporary(8);
  store_number(aside, 8, first);
  const ValueId second = number(right);
  return {load_number(aside, 8), second};
}

ValueId Lowering::binary(const Expr& e, const Binary& node) {
  if (is_comparison(node.op)) return b.zext(compare(node), 1);
  if (node.op == BinaryOp::logical_and || node.op == BinaryOp::logical_or) return from_condition(e);
  const Type& left = node.left->type;
  const Type& right = node.right->type;
  const auto element_size = [](const Type& pointer) { return std::max<std::int64_t>(pointer.element ? pointer.element->size : 1, 1); };
  if (left.kind == Kind::pointer && right.kind == Kind::pointer && node.op == BinaryOp::sub)
    return b.sdiv(b.sub(number(*node.left), number(*node.right)), i64(element_size(left)));
  if (left.kind == Kind::pointer || right.kind == Kind::pointer) {
    const bool first = left.kind == Kind::pointer;
    const Type& type = first ? left : right;
    const ValueId base = scalar(first ? *node.left : *node.right);
    ValueId steps = b.mul(number(first ? *node.right : *node.left), i64(element_size(type)));
    if (node.op == BinaryOp::sub) steps = b.neg(steps);
    if (node.op == BinaryOp::add || node.op == BinaryOp::sub) {
      if (fn().type_of(base).is_ptr() && ir_type(e.type).is_ptr()) return b.ptr_add(base, steps);
      return b.add(as_number(base), steps);
    }
  }
  const auto [a, c] = numbers(*node.left, *node.right);
  return fit(arithmetic(node.op, a, c, e.type.is_signed, left.is_signed), e.type);
}

ValueId Lowering::arithmetic(BinaryOp op, ValueId a, ValueId c, bool is_signed, bool left_signed) {
  switch (op) {
    case BinaryOp::add: return b.add(a, c);
    case BinaryOp::sub: return b.sub(a, c);
    case BinaryOp::mul: return b.mul(a, c);
    case BinaryOp::div: return is_signed ? b.sdiv(a, c) : b.udiv(a, c);
    case BinaryOp::mod: return is_signed ? b.srem(a, c) : b.urem(a, c);
    case BinaryOp::bit_and: return b.and_(a, c);
    case BinaryOp::bit_or: return b.or_(a, c);
    case BinaryOp::bit_xor: return b.xor_(a, c);
    case BinaryOp::shift_left: return b.shl(a, c);
    case BinaryOp::shift_right: return left_signed ? b.ashr(a, c) : b.lshr(a, c);
    default: return a;
  }
}

ValueId Lowering::from_condition(const Expr& e) {
  Join yes, no, meeting;
  condition(e, yes, no);
  enter(yes);
  go(meeting, i64(1));
  enter(no);
  go(meeting, i64(0));
  return enter(meeting);
}

ValueId Lowering::step(const Expr& e, const Unary& node) {
  const bool up = node.op == UnaryOp::pre_increment || node.op == UnaryOp::post_increment;
  const bool before = node.op == UnaryOp::pre_increment || node.op == UnaryOp::pre_decrement;
  if (const auto* access = std::get_if<MapAccess>(&node.operand->node)) return step_map(node, *access, e.at);
  const auto* named = std::get_if<Variable>(&node.operand->node);
  if (named == nullptr) return i64(0);
  const Type& type = type_of_variable(named->id);
  const std::int64_t by = type.kind == Kind::pointer && type.element ? std::max<std::int64_t>(type.element->size, 1) : 1;
  const ValueId old = variable(named->id);
  const ValueId next = fn().type_of(old).is_ptr() ? b.ptr_add(old, i64(up ? by : -by)) : fit(b.add(old, i64(up ? by : -by)), type);
  set_variable(named->id, next);
  return before ? next : old;
}

ValueId Lowering::unary(const Expr& e, const Unary& node) {
  switch (node.op) {
    case UnaryOp::minus: return fit(b.neg(number(*node.operand)), e.type);
    case UnaryOp::bit_not: return fit(b.not_(number(*node.operand)), e.type);
    case UnaryOp::logical_not: return b.zext(b.not_(truth(*node.operand)), 1);
    case UnaryOp::dereference: {
      const Place place = place_of(e);
      return as_type(read_scalar(e.type, place.address, place.offset, place.space, e.at), e.type);
    }
    case UnaryOp::address_of: return address_of(e, *node.operand);
    default: return step(e, node);
  }
}

ValueId Lowering::address_of(const Expr& e, const Expr& operand) {
  if (const auto* named = std::get_if<Variable>(&operand.node)) return as_type(pointer(homes[named->id].at), e.type);
  if (const auto* access = std::get_if<MapAccess>(&operand.node)) return as_type(lookup(*access).pointer, e.type);
  const Place place = place_of(operand);
  if (place.offset == 0) return as_type(place.address, e.type);
  if (fn().type_of(place.address).is_ptr()) return as_type(b.ptr_add(place.address, i64(place.offset)), e.type);
  return as_type(b.add(place.address, i64(place.offset)), e.type);
}

ValueId Lowering::cast(const Expr& e, const Cast& node) {
  const Expr& from = *node.operand;
  if (from.type.is_aggregate()) {
    if (const auto* access = std::get_if<MapAccess>(&from.node)) return fit(aggregate_value(*access, from.type, e.at), e.type);
  }
  if (e.type.kind == Kind::boolean) {
    if (!from.type.is_scalar()) {  // a string is true if it is not empty
      return b.zext(b.ne(load_number(bytes_of(from), 1), i64(0)), 1);
    }
    return from.type.kind == Kind::boolean ? scalar(from) : b.zext(truth(from), 1);
  }
  if (!from.type.is_scalar()) {  // the bytes of an array as an integer
    const Address at = bytes_of(from, Padding::zero);
    return load_number(at, std::clamp<std::uint32_t>(std::min(e.type.size, from.type.size), 1, 8), e.type.is_signed);
  }
  const ValueId value = scalar(from);
  if (ir_type(e.type).is_ptr()) return as_type(value, e.type);
  const bool narrower = e.type.size < from.type.size || (e.type.size == from.type.size && e.type.is_signed != from.type.is_signed) ||
                        (from.type.is_signed && !e.type.is_signed);
  return narrower ? fit(as_number(value), e.type) : as_number(value);
}

namespace {

/// A scalar's value, by what kind of expression it is.
struct ScalarOf {
  Lowering& l;
  const Expr& e;
  ValueId operator()(const Identifier& n) const {
    if (n.builtin == nullptr) return l.i64(0);
    return l.builtin(e, *n.builtin, n.number, {});
  }
  ValueId operator()(const Variable& n) const { return l.variable(n.id); }
  ValueId operator()(const MapAccess& n) const { return l.map_scalar(e, n); }
  ValueId operator()(const Call& n) const { return l.call(e, n); }
  ValueId operator()(const Unary& n) const { return l.unary(e, n); }
  ValueId operator()(const Binary& n) const { return l.binary(e, n); }
  ValueId operator()(const Cast& n) const { return l.cast(e, n); }
  ValueId operator()(const Member& n) const { return l.member(e, n); }
  ValueId operator()(const Index& n) const { return l.index(e, n); }
  ValueId operator()(const Ternary& n) const {
    Join yes, no, meeting;
    ValueId tested = kNoValue;
    if (n.then) {
      l.condition(*n.condition, yes, no);
    } else {  // a ?: b is a itself, if it is not 0
      tested = l.as_type(l.scalar(*n.condition), e.type);
      const ir::Type type = l.fn().type_of(tested);
      l.branch(l.b.ne(tested, type.is_ptr() ? l.b.null(type.space) : l.i64(0)), yes, no);
    }
    l.enter(yes);
    const ValueId first = n.then ? l.as_type(l.value_or_effect(**n.then), e.type) : tested;
    l.go(meeting, first);
    l.enter(no);
    const ValueId second = l.as_type(l.value_or_effect(*n.otherwise), e.type);
    l.go(meeting, second);
    return l.enter(meeting);
  }
  ValueId operator()(const BlockExpr& n) const {
    for (const Statement& s : n.block.statements) l.statement(s);
    return l.scalar(*n.value);
  }
  ValueId operator()(const auto&) const {
    l.unit.error(e.at, "this is not a number here");
    return l.i64(0);
  }
};

}  // namespace

ValueId Lowering::scalar(const Expr& e) {
  if (const auto known = integer_of(e)) return as_type(i64(*known), e.type);
  return as_type(std::visit(ScalarOf{*this, e}, e.node), e.type);
}

ValueId Lowering::value_or_effect(const Expr& e) {
  if (e.type.is_scalar()) return scalar(e);
  effect(e);
  return i64(0);
}

void Lowering::effect(const Expr& e) {
  if (const auto* called = std::get_if<Call>(&e.node)) {
    call(e, *called);
    return;
  }
  if (const auto* block_expr = std::get_if<BlockExpr>(&e.node)) {
    for (const Statement& s : block_expr->block.statements) statement(s);
    effect(*block_expr->value);
    return;
  }
  if (const auto* unary_node = std::get_if<Unary>(&e.node); unary_node != nullptr && unary_node->op >= UnaryOp::pre_increment)
    step_unused_ = std::holds_alternative<MapAccess>(unary_node->operand->node);
  if (std::holds_alternative<Ternary>(e.node) || e.type.is_scalar()) {
    scalar(e);
    return;
  }
  if (e.type.size != 0 && !e.type.is_aggregate()) bytes_of(e);
}

}  // namespace espy::trace::lowering
