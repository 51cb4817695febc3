// Expressions: what each kind of node is, and its type.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

const Type& Checker::expression(Expr& expr) {
  // A step may put another node in this one's place, so its type is kept apart until then.
  Type type = std::visit(
      overload{
          [](Integer& node) { return literal_type(node); },
          [](Boolean&) { return boolean_type(); },
          [](String& node) { return string_type(static_cast<std::uint32_t>(node.value.size() + 1)); },
          [&](Identifier& node) { return identifier(expr, node); },
          [&](Positional&) { return refuse(expr.at, "parameters have no value here"); },
          [&](Variable& node) { return variable(expr, node); },
          [&](MapAccess& node) { return map_access(expr, node); },
          [&](Call& node) { return call(expr, node); },
          [&](Unary& node) { return unary(expr, node); },
          [&](Binary& node) { return binary(expr, node); },
          [&](Ternary& node) { return ternary(expr, node); },
          [&](Cast& node) { return cast(expr, node); },
          [&](Member& node) { return member(expr, node); },
          [&](Index& node) { return index(expr, node); },
          [&](TupleLiteral& node) { return tuple(node); },
          [&](RecordLiteral& node) { return record(node); },
          [&](SizeOf& node) { return size_of(expr, node); },
          [&](OffsetOf& node) { return offset_of(expr, node); },
          [&](TypeOf& node) { return type_of(expr, node); },
          [&](BlockExpr& node) { return block_value(node); },
      },
      expr.node);
  expr.type = std::move(type);
  if (final_) fold(expr);
  return expr.type;
}

/// An enumerator or a constant of C: its value, and the type that it has.
std::optional<std::pair<Constant, Type>> Checker::named_constant(const std::string& name) {
  const auto& own = options_.c_types.btf;
  if (auto found = enumerator_of(own, name)) return found;
  const auto& constants = options_.c_types.constants;
  const auto constant = std::ranges::lower_bound(constants, name, {}, &c::Constant::name);
  if (constant != constants.end() && constant->name == name) {
    Constant value = std::visit(overload{
                                    [](std::int64_t number) { return Constant(Integer{.value = static_cast<std::uint64_t>(number)}); },
                                    [](std::uint64_t number) { return Constant(Integer{.value = number, .is_unsigned = true}); },
                                    [](const std::string& text) { return Constant(String{text}); },
                                },
                                constant->value);
    auto* number = std::get_if<Integer>(&value);
    Type type = number != nullptr ? literal_type(*number) : string_type(static_cast<std::uint32_t>(std::get<String>(value).value.size() + 1));
    return std::pair(std::move(value), std::move(type));
  }
  if (own && own->base())
    if (auto found = enumerator_of(own->base(), name)) return found;
  return enumerator_of(kernel_btf(), name);
}

std::optional<std::pair<Constant, Type>> Checker::enumerator_of(const std::shared_ptr<const btf::Btf>& btf, const std::string& name) {
  if (!btf) return std::nullopt;
  auto [entry, is_new] = enumerators_.try_emplace({btf.get(), name});
  if (is_new) entry->second = find_enumerator(*btf, name);
  if (!entry->second) return std::nullopt;
  Type type = type_of_btf(btf, entry->second->first, Space::none);
  return std::pair(Constant(Integer{.value = entry->second->second, .is_unsigned = !type.is_signed}), std::move(type));
}

Type Checker::identifier(Expr& expr, Identifier& node) {
  if (const Builtin* row = find_builtin(node.name)) {
    node.builtin = row;
    return builtin(expr, node, *row);
  }
  if (auto constant = named_constant(node.name)) {
    Type type = std::move(constant->second);
    if (final_) replace(expr, std::move(constant->first));
    return type;
  }
  if (const Function* row = find_function(node.name)) {
    if (row->least == 0) {  // `default_str_length` is `default_str_length()`
      expr.node = Call{.name = node.name, .arguments = {}, .name_at = expr.at};
      return call(expr, std::get<Call>(expr.node));
    }
    return refuse(expr.at, fmt::format("`{}` is a function", node.name), fmt::format("as in {}", row->signature));
  }
  std::string_view near = nearest_function(node.name);
  std::string hint = near.empty() ? "" : fmt::format("did you mean `{}`?", near);
  if (find_type(node.name, TypeName::Tag::struct_, Space::none)) hint = fmt::format("is it `struct {}`?", node.name);
  for (const auto& scope : body_->scopes)
    if (scope.contains(node.name)) hint = fmt::format("did you mean `${}`?", node.name);
  if (map_ids_.contains(node.name)) hint = fmt::format("did you mean `@{}`?", node.name);
  return refuse(expr.at, fmt::format("nothing is called `{}`", node.name), std::move(hint));
}

Type Checker::step(Expr& expr, Unary& node) {
  Expr& operand = *node.operand;
  if (auto* access = std::get_if<MapAccess>(&operand.node)) {
    use_key(*access, operand.at);
    const std::uint32_t id = access->id;
    if (is_unknown(maps_[id].value)) grow_value(id, int64_type(), operand.at);
    operand.type = maps_[id].value;
  } else if (std::holds_alternative<Variable>(operand.node)) {
    expression(operand);
  } else {
    expression(operand);
    return is_unknown(operand.type) ? unknown_type() : refuse(expr.at, "only variables and maps can be counted up or down");
  }
  if (is_unknown(operand.type)) return unknown_type();
  if (operand.type.is_aggregate())
    return refuse(expr.at, fmt::format("a `{}` cannot be counted up or down", to_string(operand.type)), "as in @x = count()");
  if (operand.type.kind != Kind::integer && operand.type.kind != Kind::pointer)
    return refuse(expr.at, fmt::format("only integers and pointers count up and down, and this is a `{}`", to_string(operand.type)));
  if (operand.type.kind == Kind::integer && operand.type.size < 8) {
    // It will not stay small.
    Type wide = integer_type(8, operand.type.is_signed);
    if (auto* variable = std::get_if<Variable>(&operand.node)) grow_variable(body_->variables[variable->id], wide, operand.at);
    else grow_value(std::get<MapAccess>(operand.node).id, wide, operand.at);
  }
  return operand.type;
}

Type Checker::dereference(Expr& expr, Unary& node) {
  const Type& pointer = expression(*node.operand);
  if (is_unknown(pointer)) return unknown_type();
  if (pointer.kind == Kind::integer) {
    // Older scripts read through plain numbers: *arg0 is the 8 bytes there.
    if (pointer.size == 8 && !pointer.is_flexible) return uint64_type();
    return refuse(expr.at, fmt::format("a `{}` is not a pointer", to_string(pointer)), "use a cast: `*(int32 *)x`");
  }
  if (pointer.kind != Kind::pointer) return refuse(expr.at, fmt::format("a `{}` is not a pointer", to_string(pointer)));
  if (!pointer.element || pointer.element->kind == Kind::none) return refuse(expr.at, "a `void *` points to no value", "use a cast: `*(int32 *)x`");
  Type value = *pointer.element;
  value.space = value.kind == Kind::pointer && value.space == Space::none ? pointer.space : value.kind == Kind::pointer ? value.space : pointer.space;
  if (value.kind == Kind::structure) value = complete(value);
  return value;
}

Type Checker::address_of(Expr& expr, Unary& node) {
  Expr& operand = *node.operand;
  const Type& type = expression(operand);
  if (is_unknown(type)) return unknown_type();
  if (std::holds_alternative<Variable>(operand.node)) return pointer_to(type, Space::bpf);
  if (std::holds_alternative<MapAccess>(operand.node)) {
    if (type.is_aggregate()) return refuse(expr.at, fmt::format("the address of a `{}` cannot be taken", to_string(type)));
    return pointer_to(type, Space::bpf);
  }
  if (auto* field = std::get_if<Member>(&operand.node)) {
    if (field->bitfield_bits != 0) return refuse(expr.at, "a bit-field has no address");
    const Type& object = field->object->type;
    return pointer_to(type, object.space);
  }
  return refuse(expr.at, "only variables, entries of maps and fields have an address");
}

Type Checker::unary(Expr& expr, Unary& node) {
  switch (node.op) {
    case UnaryOp::pre_increment: case UnaryOp::pre_decrement: case UnaryOp::post_increment: case UnaryOp::post_decrement:
      return step(expr, node);
    case UnaryOp::dereference: return dereference(expr, node);
    case UnaryOp::address_of: return address_of(expr, node);
    case UnaryOp::minus: case UnaryOp::bit_not: case UnaryOp::logical_not: break;
  }
  expression(*node.operand);
  as_number(*node.operand);
  const Type& type = node.operand->type;
  if (is_unknown(type)) return unknown_type();
  if (node.op == UnaryOp::logical_not) {
    if (!is_number(type)) return refuse(expr.at, fmt::format("`!` takes a number or a pointer, and this is a `{}`", to_string(type)));
    return boolean_type();
  }
  if (!is_integer_like(type))
    return refuse(expr.at, fmt::format("`{}` takes an integer, and this is a `{}`", node.op == UnaryOp::minus ? "-" : "~", to_string(type)));
  if (auto folded = type.is_flexible ? fold_unary(expr, node) : std::nullopt)
    if (auto* number = std::get_if<Integer>(&*folded)) return literal_type(*number);
  const Type result = node.op == UnaryOp::minus ? int64_type() : wide_integer(type);
  convert(*node.operand, result);
  Type settled = result;
  settled.is_flexible = false;
  return settled;
}

Type Checker::ternary(Expr& expr, Ternary& node) {
  condition(*node.condition);
  if (node.then) expression(**node.then);
  expression(*node.otherwise);
  Expr& then = node.then ? **node.then : *node.condition;
  if (is_unknown(then.type) || is_unknown(node.otherwise->type)) return unknown_type();
  if (then.type.kind == Kind::none && node.otherwise->type.kind == Kind::none) return {};
  as_number(then);
  as_number(*node.otherwise);
  auto joined = join_types(then.type, node.otherwise->type);
  if (!joined && then.type.kind == Kind::integer && node.otherwise->type.kind == Kind::integer) joined = int64_type();
  if (!joined || then.type.kind == Kind::none || node.otherwise->type.kind == Kind::none)
    return refuse(expr.at, fmt::format("both sides have one type, and these are a `{}` and a `{}`", to_string(then.type), to_string(node.otherwise->type)));
  read_as(then, *joined);
  read_as(*node.otherwise, *joined);
  return *joined;
}

Type Checker::tuple(TupleLiteral& node) {
  std::vector<Type> members;
  bool unknown = false;
  for (Expr& member : node.members) {
    expression(member);
    as_number(member);
    unknown |= is_unknown(member.type);
    if (member.type.kind == Kind::none || member.type.is_aggregate()) {
      error(member.at, member.type.kind == Kind::none ? "this has no value to be in a tuple" : fmt::format("a `{}` cannot be in a tuple", to_string(member.type)));
      unknown = true;
    }
    members.push_back(stored_type(member.type, false));
  }
  return unknown ? unknown_type() : tuple_of(std::move(members));
}

Type Checker::record(RecordLiteral& node) {
  std::vector<Field> fields;
  bool unknown = false;
  for (auto& [name, member] : node.members) {
    expression(member);
    as_number(member);
    unknown |= is_unknown(member.type) || member.type.kind == Kind::none;
    for (const Field& other : fields)
      if (other.name == name) error(member.at, fmt::format("`{}` is in this record already", name));
    if (member.type.kind == Kind::none) error(member.at, "this has no value to be in a record");
    fields.push_back({.name = name, .type = stored_type(member.type, false)});
  }
  return unknown ? unknown_type() : record_of(std::move(fields));
}

Type Checker::block_value(BlockExpr& node) {
  body_->scopes.emplace_back();
  statements(node.block);
  expression(*node.value);
  body_->scopes.pop_back();
  return node.value->type;
}

}  // namespace espy::trace
