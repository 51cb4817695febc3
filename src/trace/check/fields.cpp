// Fields of structures, of tuples, of a probe's arguments; elements of arrays.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

constexpr unsigned kMaxDepth = 16;  // of anonymous structures within each other

bool is_char(const btf::Type& type) { return type.kind() == btf::Kind::int_ && type.size() == 1 && (type.int_info().is_char || type.name() == "char"); }

/// Is what this refers to marked with a type tag: `__user`, `__percpu`?
bool has_tag(const btf::Btf& btf, btf::TypeId id, std::string_view tag) {
  for (unsigned depth = 0; depth < kMaxDepth; ++depth) {
    const btf::Type type = btf.type(id);
    switch (type.kind()) {
      case btf::Kind::type_tag:
        if (type.name() == tag) return true;
        [[fallthrough]];
      case btf::Kind::typedef_: case btf::Kind::const_: case btf::Kind::volatile_: case btf::Kind::restrict_: id = type.target(); break;
      default: return false;
    }
  }
  return false;
}

std::optional<FieldPlace> find_at(const btf::Btf& btf, btf::TypeId structure, std::string_view name, unsigned depth) {
  const btf::Type type = btf.resolve(structure);
  if (type.kind() != btf::Kind::struct_ && type.kind() != btf::Kind::union_) return std::nullopt;
  const std::uint32_t count = type.vlen();
  for (std::uint32_t i = 0; i < count; ++i) {
    const btf::Member member = type.member(i);
    if (member.name == name) return FieldPlace{member.type, member.bit_offset, member.bitfield_size};
    if (!member.name.empty() || depth == kMaxDepth) continue;
    if (auto inner = find_at(btf, member.type, name, depth + 1)) {
      inner->bit_offset += member.bit_offset;
      return inner;
    }
  }
  return std::nullopt;
}

void names_at(const btf::Btf& btf, btf::TypeId structure, std::vector<std::string_view>& out, unsigned depth) {
  const btf::Type type = btf.resolve(structure);
  if (type.kind() != btf::Kind::struct_ && type.kind() != btf::Kind::union_) return;
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const btf::Member member = type.member(i);
    if (!member.name.empty()) out.push_back(member.name);
    else if (depth < kMaxDepth) names_at(btf, member.type, out, depth + 1);
  }
}

std::string suggestion(std::string_view wanted, const std::vector<std::string_view>& names) {
  const std::string_view near = nearest(wanted, names);
  return near.empty() ? "" : fmt::format("did you mean `{}`?", near);
}

}  // namespace

std::optional<FieldPlace> find_field(const btf::Btf& btf, btf::TypeId structure, std::string_view name) {
  return name.empty() ? std::nullopt : find_at(btf, structure, name, 0);
}

void field_names(const btf::Btf& btf, btf::TypeId structure, std::vector<std::string_view>& out) { names_at(btf, structure, out, 0); }

std::optional<std::pair<btf::TypeId, std::uint64_t>> find_enumerator(const btf::Btf& btf, std::string_view name) {
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
    const btf::Type type = btf.type(btf::TypeId{id});
    if (type.kind() != btf::Kind::enum_ && type.kind() != btf::Kind::enum64) continue;
    const std::uint32_t count = type.vlen();
    for (std::uint32_t i = 0; i < count; ++i)
      if (const btf::Enumerator value = type.enumerator(i); value.name == name) return std::pair(type.id(), value.value);
  }
  return std::nullopt;
}

Type field_type(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space) {
  const btf::Type type = btf->resolve(id);
  if (type.kind() == btf::Kind::array && is_char(btf->resolve(type.array().element))) {
    Type text = string_type(type.array().count);
    text.space = space;
    return text;
  }
  if (type.kind() != btf::Kind::ptr) return type_of_btf(btf, id, space);
  // Where a pointer leads: as it is marked, else where it was found itself. What the verifier follows are structures.
  Space target = space == Space::context ? Space::btf : space == Space::bpf || space == Space::none ? Space::kernel : space;
  if (has_tag(*btf, type.target(), "user")) target = Space::user;
  const btf::Type element = btf->resolve(type.target());
  const bool is_structure = element.kind() == btf::Kind::struct_ || element.kind() == btf::Kind::union_;
  if (target == Space::btf && !is_structure) target = Space::kernel;
  return type_of_btf(btf, id, target);
}

/// A structure that is only announced here, by its definition.
Type Checker::complete(const Type& structure) {
  if (!structure.btf.btf || structure.btf.btf->type(structure.btf.id).kind() != btf::Kind::fwd) return structure;
  const btf::Type forward = structure.btf.btf->type(structure.btf.id);
  const auto tag = forward.is_union_fwd() ? TypeName::Tag::union_ : TypeName::Tag::struct_;
  return find_type(forward.name(), tag, structure.space).value_or(structure);
}

Type Checker::structure_member(Expr& expr, Member& node, const Type& structure) {
  const Type whole = complete(structure);
  if (!whole.btf.btf) return refuse(expr.at, fmt::format("nothing is known of `{}`", to_string(whole)));
  const btf::Btf& btf = *whole.btf.btf;
  auto place = find_field(btf, whole.btf.id, node.name);
  if (!place) {
    std::vector<std::string_view> names;
    field_names(btf, whole.btf.id, names);
    if (names.empty()) return refuse(node.name_at, fmt::format("`{}` is not defined, only announced", to_string(whole)), "its definition must be in the kernel's BTF or in the script");
    return refuse(node.name_at, fmt::format("no field `{}` in `{}`", node.name, to_string(whole)), suggestion(node.name, names));
  }
  node.bit_offset = place->bit_offset;
  node.bitfield_bits = place->bits;
  Type type = field_type(whole.btf.btf, place->type, whole.space);
  // An array of no elements at the end of a structure lies behind it.
  if (type.kind == Kind::string && type.size == 0) return pointer_to(integer_type(1, true), whole.space == Space::btf ? Space::kernel : whole.space);
  return type;
}

Type Checker::tuple_member(Expr& expr, Member& node, const Type& tuple) {
  const std::vector<Field>& fields = *tuple.fields;
  if (tuple.kind == Kind::tuple) {
    auto number = parse_number<std::uint32_t>(node.name);
    if (!number) return refuse(node.name_at, fmt::format("a tuple's members are numbered, and `{}` is no number", node.name), "as in `.0`");
    if (*number >= fields.size()) return refuse(node.name_at, fmt::format("no member {} in `{}`, which has {}", *number, to_string(tuple), fields.size()));
    node.field = *number;
    return fields[*number].type;
  }
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == node.name) {
      node.field = static_cast<std::uint32_t>(i);
      return fields[i].type;
    }
  std::vector<std::string_view> names;
  for (const Field& field : fields) names.push_back(field.name);
  (void)expr;
  return refuse(node.name_at, fmt::format("no field `{}` in `{}`", node.name, to_string(tuple)), suggestion(node.name, names));
}

/// What `args.x` and `argN` are.
Type Checker::argument_type(const probes::Argument& argument) const {
  const probes::ArgumentSet& set = body_->instance->arguments;
  // System calls' arguments are the program's; so is all that a probe in a program finds.
  const bool user = body_->provider->is_user || body_->instance->which == probes::Which::syscall ||
                    body_->instance->targets.front().name.starts_with("tracepoint:syscalls:");
  const Space space = user ? Space::user : set.typed_pointers ? Space::btf : Space::kernel;
  const auto plain = [&] { return integer_type(argument.size == 0 ? 8 : std::min(argument.size, 8U), argument.is_signed); };
  if (!set.btf || argument.type == btf::kVoid) return plain();
  const btf::Type type = set.btf->resolve(argument.type);
  switch (type.kind()) {
    case btf::Kind::int_:
      if (type.int_info().is_bool) return boolean_type();
      return type.size() > 8 ? type_of_btf(set.btf, argument.type, Space::context) : plain();
    case btf::Kind::array: {
      const btf::Type element = set.btf->resolve(type.array().element);
      if (type.array().count == 0) {
        // As long as it happens to be.
        const auto most = static_cast<std::uint32_t>(checked_.config.max_strlen);
        return element.size() == 1 ? string_type(most) : buffer_type(most);
      }
      return field_type(set.btf, argument.type, Space::context);
    }
    case btf::Kind::ptr: return field_type(set.btf, argument.type, space);
    case btf::Kind::enum_: case btf::Kind::enum64: {
      Type out = type_of_btf(set.btf, argument.type, Space::none);
      out.size = argument.size != 0 && argument.size <= 8 ? argument.size : out.size;
      return out;
    }
    default: return type_of_btf(set.btf, argument.type, Space::context);
  }
}

Type Checker::argument_member(Expr& expr, Member& node) {
  if (body_->instance == nullptr || body_->provider == nullptr) return refuse(expr.at, "`args` means nothing in a subprogram", "pass what it needs as a parameter");
  const std::vector<probes::Argument>& arguments = body_->instance->arguments.arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].name != node.name) continue;
    node.field = static_cast<std::uint32_t>(i);
    node.object->type = {.kind = Kind::record};
    return argument_type(arguments[i]);
  }
  const Builtin& row = row_of(BuiltinId::args);
  if (!available(node.object->at, row.name, row.where, {})) return unknown_type();
  // The instance has what it can serve; the probe itself may have told more.
  std::vector<std::string_view> names;
  for (const probes::Argument& argument : arguments) names.push_back(argument.name);
  const std::string& probe = body_->instance->targets.front().name;
  std::optional<probes::ArgumentSet> all;
  if (options_.all_arguments)
    if (auto set = options_.all_arguments(body_->instance->targets.front())) {
      all = std::move(*set);
      names.clear();
      for (const probes::Argument& argument : all->arguments) names.push_back(argument.name);
    }
  std::string hint = suggestion(node.name, names);
  if (hint.empty() && !names.empty() && names.size() <= 12) hint = fmt::format("it has {}", fmt::join(names, ", "));
  return refuse(node.name_at, names.empty() ? fmt::format("nothing is known of the arguments of {}", probe) : fmt::format("{} has no argument `{}`", probe, node.name), std::move(hint));
}

Type Checker::member(Expr& expr, Member& node) {
  if (auto* identifier = std::get_if<Identifier>(&node.object->node); identifier != nullptr && (identifier->name == "args" || identifier->name == "__builtin_args")) {
    identifier->builtin = &row_of(BuiltinId::args);
    return argument_member(expr, node);
  }
  const Type& object = expression(*node.object);
  switch (object.kind) {
    case Kind::unknown: return unknown_type();
    case Kind::structure:
      // `->` is `.` here: what was a pointer may have been copied into a variable or map.
      return structure_member(expr, node, object);
    case Kind::tuple: case Kind::record: return tuple_member(expr, node, object);
    case Kind::pointer:
      if (object.element && object.element->kind == Kind::structure) {
        Type structure = *object.element;
        structure.space = object.space;
        return structure_member(expr, node, structure);
      }
      if (object.element && (object.element->kind == Kind::tuple || object.element->kind == Kind::record)) return tuple_member(expr, node, *object.element);
      break;
    default: break;
  }
  std::string hint;
  if (object.kind == Kind::integer) hint = fmt::format("cast it: `((struct x *)…).{}`", node.name);
  return refuse(expr.at, fmt::format("a `{}` has no fields", to_string(object)), std::move(hint));
}

Type Checker::index(Expr& expr, Index& node) {
  const Type object = expression(*node.object);
  expression(*node.index);
  as_number(*node.index);
  if (is_unknown(object) || is_unknown(node.index->type)) return unknown_type();
  if (object.kind == Kind::tuple) {
    auto number = constant_integer(*node.index);
    if (!number || *number >= object.fields->size())
      return refuse(node.index->at, fmt::format("a member of `{}` is chosen by a constant from 0 to {}", to_string(object), object.fields->size() - 1));
    return (*object.fields)[*number].type;
  }
  if (!is_integer_like(node.index->type)) return refuse(node.index->at, fmt::format("an index is an integer, and this is a `{}`", to_string(node.index->type)));
  auto constant = constant_integer(*node.index);
  if (object.kind == Kind::array || object.kind == Kind::string) {
    const std::uint32_t count = object.kind == Kind::array ? object.count : object.size;
    if (constant && static_cast<std::int64_t>(*constant) < 0) return refuse(node.index->at, "an index cannot be negative");
    if (constant && *constant >= count && count != 0) return refuse(node.index->at, fmt::format("the index {} is out of bounds for array of size {}", *constant, count));
    convert(*node.index, wide_integer(node.index->type));
    if (object.kind == Kind::string) return integer_type(1, true);
    Type element = *object.element;
    if (element.kind == Kind::structure || element.kind == Kind::array) element.space = object.space;
    return element;
  }
  if (object.kind == Kind::pointer && object.element && object.element->kind != Kind::none) {
    convert(*node.index, wide_integer(node.index->type));
    Type element = object.element->kind == Kind::structure ? complete(*object.element) : *object.element;
    if (element.kind == Kind::structure || element.kind == Kind::array) element.space = object.space;
    return element;
  }
  return refuse(expr.at, fmt::format("a `{}` has no elements", to_string(object)));
}

}  // namespace espy::trace
