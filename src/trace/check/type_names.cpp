// Types by name; casts; sizeof, offsetof, typeof.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

struct BaseRow {
  std::string_view name;
  Kind kind = Kind::integer;
  std::uint32_t size = 0;
  bool is_signed = false;
};
// The language's own names, and C's, so that they cost no look into BTF.
constexpr BaseRow kBases[] = {
    {"int8", Kind::integer, 1, true}, {"int16", Kind::integer, 2, true}, {"int32", Kind::integer, 4, true}, {"int64", Kind::integer, 8, true},
    {"uint8", Kind::integer, 1}, {"uint16", Kind::integer, 2}, {"uint32", Kind::integer, 4}, {"uint64", Kind::integer, 8},
    {"bool", Kind::boolean, 1}, {"_Bool", Kind::boolean, 1}, {"void", Kind::none}, {"string", Kind::string}, {"str_t", Kind::string},
    {"buffer", Kind::buffer, 4}, {"buffer_t", Kind::buffer, 4}, {"inet", Kind::inet}, {"inet_t", Kind::inet}, {"mac_t", Kind::mac},
    {"macaddr_t", Kind::mac}, {"ksym_t", Kind::ksym}, {"usym_t", Kind::usym}, {"kstack_t", Kind::kstack}, {"ustack_t", Kind::ustack},
    {"username_t", Kind::username}, {"timestamp_t", Kind::timestamp}, {"timestamp", Kind::timestamp}, {"cgroup_path_t", Kind::cgroup_path},
    {"char", Kind::integer, 1, true}, {"signed char", Kind::integer, 1, true}, {"unsigned char", Kind::integer, 1},
    {"short", Kind::integer, 2, true}, {"unsigned short", Kind::integer, 2}, {"int", Kind::integer, 4, true}, {"signed", Kind::integer, 4, true},
    {"signed int", Kind::integer, 4, true}, {"unsigned", Kind::integer, 4}, {"unsigned int", Kind::integer, 4}, {"long", Kind::integer, 8, true},
    {"long int", Kind::integer, 8, true}, {"unsigned long", Kind::integer, 8}, {"unsigned long int", Kind::integer, 8},
    {"long long", Kind::integer, 8, true}, {"unsigned long long", Kind::integer, 8}, {"size_t", Kind::integer, 8}, {"ssize_t", Kind::integer, 8, true},
    {"int8_t", Kind::integer, 1, true}, {"int16_t", Kind::integer, 2, true}, {"int32_t", Kind::integer, 4, true}, {"int64_t", Kind::integer, 8, true},
    {"uint8_t", Kind::integer, 1}, {"uint16_t", Kind::integer, 2}, {"uint32_t", Kind::integer, 4}, {"uint64_t", Kind::integer, 8},
    {"u8", Kind::integer, 1}, {"u16", Kind::integer, 2}, {"u32", Kind::integer, 4}, {"u64", Kind::integer, 8},
    {"s8", Kind::integer, 1, true}, {"s16", Kind::integer, 2, true}, {"s32", Kind::integer, 4, true}, {"s64", Kind::integer, 8, true},
    {"uintptr_t", Kind::integer, 8}, {"intptr_t", Kind::integer, 8, true},
};

btf::Kind btf_kind(TypeName::Tag tag) {
  switch (tag) {
    case TypeName::Tag::struct_: return btf::Kind::struct_;
    case TypeName::Tag::union_: return btf::Kind::union_;
    case TypeName::Tag::enum_: return btf::Kind::enum_;
    case TypeName::Tag::plain: case TypeName::Tag::type_of: return btf::Kind::typedef_;
  }
  return btf::Kind::void_;
}

std::string_view word(TypeName::Tag tag) {
  switch (tag) {
    case TypeName::Tag::struct_: return "struct ";
    case TypeName::Tag::union_: return "union ";
    case TypeName::Tag::enum_: return "enum ";
    default: return "";
  }
}

Type of_base(const BaseRow& row) {
  switch (row.kind) {
    case Kind::integer: return integer_type(row.size, row.is_signed);
    case Kind::boolean: return boolean_type();
    case Kind::string: return string_type(0);
    case Kind::buffer: return buffer_type(0);
    default: return simple_type(row.kind);
  }
}

}  // namespace

std::shared_ptr<const btf::Btf> Checker::kernel_btf() {
  if (options_.machine == nullptr) return nullptr;
  auto btf = options_.machine->vmlinux();
  return btf ? *btf : nullptr;
}

std::optional<Type> Checker::find_type(std::string_view name, TypeName::Tag tag, Space space) {
  for (const auto& btf : {options_.c_types.btf, kernel_btf()}) {
    if (!btf) continue;
    auto found = btf->find(name, btf_kind(tag));
    if (!found && tag == TypeName::Tag::enum_) found = btf->find(name, btf::Kind::enum64);
    if (found) return type_of_btf(btf, found->id(), space);
  }
  return std::nullopt;
}

std::string Checker::nearest_type(std::string_view name) {
  std::vector<std::string_view> names;
  for (const BaseRow& row : kBases) names.push_back(row.name);
  if (const std::string_view near = nearest(name, names); !near.empty()) return fmt::format("did you mean `{}`?", near);
  for (auto tag : {TypeName::Tag::struct_, TypeName::Tag::union_, TypeName::Tag::enum_, TypeName::Tag::plain})
    if (find_type(name, tag, Space::none)) return fmt::format("did you mean `{}{}`?", word(tag), name);
  // Only what begins alike is compared: a kernel has tens of thousands of types.
  names.clear();
  for (const auto& btf : {options_.c_types.btf, kernel_btf()}) {
    if (!btf || name.size() < 2) continue;
    for (std::uint32_t id = 1; id < btf->type_count(); ++id) {
      const btf::Type type = btf->type(btf::TypeId{id});
      if ((type.kind() == btf::Kind::struct_ || type.kind() == btf::Kind::union_) && type.name().starts_with(name.substr(0, 2))) names.push_back(type.name());
    }
  }
  const std::string_view near = nearest(name, names);
  return near.empty() ? "" : fmt::format("did you mean `struct {}`?", near);
}

std::optional<Type> Checker::base_type(TypeName& name, Space space) {
  if (name.tag == TypeName::Tag::type_of) {
    Expr& of = **name.of;
    // `typeof(x)` asks for a type and reads nothing. A bare name of a type is one too.
    if (auto* identifier = std::get_if<Identifier>(&of.node); identifier != nullptr && find_builtin(identifier->name) == nullptr) {
      TypeName plain{.name = identifier->name, .at = of.at};
      const auto* row = std::ranges::find(kBases, std::string_view(identifier->name), &BaseRow::name);
      if (row != std::end(kBases)) return of_base(*row);
    }
    expression(of);
    Type type = of.type;
    type.is_flexible = false;
    return type;
  }
  if (name.tag == TypeName::Tag::plain) {
    const auto* row = std::ranges::find(kBases, std::string_view(name.name), &BaseRow::name);
    if (row != std::end(kBases)) return of_base(*row);
  }
  if (auto found = find_type(name.name, name.tag, space)) return found;
  // C++ and older scripts leave `struct` away where it is clear: only a pointer is meant by it.
  if (name.tag == TypeName::Tag::plain && !name.suffixes.empty())
    if (auto found = find_type(name.name, TypeName::Tag::struct_, space)) return found;
  if (options_.machine != nullptr && name.tag != TypeName::Tag::plain)
    for (const auto& module : options_.machine->modules())
      if (auto found = module.btf->find(name.name, btf_kind(name.tag))) return type_of_btf(module.btf, found->id(), space);
  if (final_) error(name.at, fmt::format("no type is called `{}{}`", word(name.tag), name.name), nearest_type(name.name));
  return std::nullopt;
}

std::optional<Type> Checker::named_type(TypeName& name, Space space) {
  auto type = base_type(name, space);
  if (!type) return std::nullopt;
  Type out = std::move(*type);
  std::size_t begin = 0;
  // string[64] and buffer[64] have a size there, not elements.
  if ((out.kind == Kind::string || out.kind == Kind::buffer) && !name.suffixes.empty())
    if (auto* array = std::get_if<TypeName::Array>(&name.suffixes.front()); array != nullptr && array->count) {
      if (*array->count == 0 || *array->count > kMaxStringBytes) {
        error(name.at, fmt::format("a string has 1 to {} bytes", kMaxStringBytes));
        return std::nullopt;
      }
      const auto bytes = static_cast<std::uint32_t>(*array->count);
      out = out.kind == Kind::string ? string_type(bytes) : buffer_type(bytes);
      begin = 1;
    }
  // `int32[2][3]` is 2 of 3: the dimensions of a run of brackets nest from the right.
  for (std::size_t i = begin; i < name.suffixes.size();) {
    if (std::holds_alternative<TypeName::Pointer>(name.suffixes[i])) {
      out = pointer_to(std::move(out), space);
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < name.suffixes.size() && std::holds_alternative<TypeName::Array>(name.suffixes[end])) ++end;
    for (std::size_t k = end; k-- > i;) {
      const std::uint64_t count = std::get<TypeName::Array>(name.suffixes[k]).count.value_or(0);
      if (out.size != 0 && count > (1U << 20) / out.size) {
        error(name.at, "this array is too large");
        return std::nullopt;
      }
      out = array_of(std::move(out), static_cast<std::uint32_t>(count));
      out.space = space;
    }
    i = end;
  }
  return out;
}

Type Checker::cast(Expr& expr, Cast& node) {
  expression(*node.operand);
  as_number(*node.operand);
  const Type from = node.operand->type;
  // A pointer made of an argument leads where the probe's pointers do.
  Space space = from.kind == Kind::pointer ? from.space : body_ != nullptr && body_->provider != nullptr && body_->provider->is_user ? Space::user : Space::kernel;
  if (space == Space::btf) space = Space::btf;
  auto named = named_type(node.to, space);
  if (!named || is_unknown(from) || is_unknown(*named)) return unknown_type();
  Type to = std::move(*named);
  if (to.kind == Kind::pointer && from.kind == Kind::pointer) to.space = from.space == Space::btf ? Space::kernel : from.space;
  const auto wrong = [&](std::string hint = {}) { return refuse(expr.at, fmt::format("a `{}` cannot be cast to `{}`", to_string(from), to_string(to)), std::move(hint)); };
  const bool plain = from.kind == Kind::integer || from.kind == Kind::boolean || from.kind == Kind::enumeration || from.kind == Kind::pointer;
  switch (to.kind) {
    case Kind::integer:
      if (plain || from.kind == Kind::ksym || from.kind == Kind::username || from.kind == Kind::usym || from.kind == Kind::timestamp) return to;
      if (from.kind == Kind::array && from.size <= 8 && from.size == to.size) return to;
      return wrong(from.kind == Kind::string ? "strings are no numbers; there is no way from one to the other" : "");
    case Kind::boolean:
      if (plain || from.kind == Kind::string) return to;
      return wrong();
    case Kind::enumeration: return plain && from.kind != Kind::pointer ? to : wrong();
    case Kind::pointer:
      if (plain) return to;
      if (from.kind == Kind::array || from.kind == Kind::string) return to.space = from.space, to;
      return wrong();
    case Kind::array:
      if (to.count == 0 && to.element && to.element->size != 0) {
        const std::uint32_t bytes = from.kind == Kind::array || from.kind == Kind::integer ? from.size : 0;
        to = array_of(*to.element, bytes / to.element->size);
      }
      if ((from.kind == Kind::integer || from.kind == Kind::array || from.kind == Kind::string) && (from.size == to.size || (from.is_flexible && to.size <= 8))) {
        if (from.is_flexible) convert(*node.operand, integer_type(to.size == 1 || to.size == 2 || to.size == 4 ? to.size : 8, false));
        to.space = from.kind == Kind::integer ? Space::bpf : from.space;
        return to;
      }
      return wrong(from.size != to.size ? fmt::format("they have {} and {} bytes", from.size, to.size) : "");
    case Kind::structure:
      if (from.kind == Kind::structure && from.size == to.size) return to.space = from.space, to;
      return wrong("cast to a pointer: `(struct x *)…`");
    case Kind::string:
      if (from.kind == Kind::string) return to.size == 0 ? from : to;
      return wrong("use str()");
    case Kind::buffer: return from.kind == Kind::buffer ? (to.size == 4 ? from : to) : wrong("use buf()");
    case Kind::tuple: case Kind::record:
      if (join_types(from, to)) return to;
      return wrong();
    default: return same_type(from, to) ? to : wrong();
  }
}

Type Checker::size_of(Expr& expr, SizeOf& node) {
  std::optional<Type> type;
  bool settled = true;
  if (auto* name = std::get_if<TypeName>(&node.of)) {
    settled = name->tag != TypeName::Tag::type_of;
    type = named_type(*name);
  } else {
    Expr& of = *std::get<Box<Expr>>(node.of);
    settled = false;
    auto* identifier = std::get_if<Identifier>(&of.node);
    if (identifier != nullptr && find_builtin(identifier->name) == nullptr && !named_constant(identifier->name)) {
      TypeName name{.name = identifier->name, .at = of.at};
      type = named_type(name);
      settled = true;
    } else {
      type = expression(of);
    }
  }
  if (!type || is_unknown(*type)) return unknown_type();
  Type whole = type->kind == Kind::structure ? complete(*type) : *type;
  if (whole.size == 0 && whole.kind != Kind::tuple) return refuse(expr.at, fmt::format("a `{}` has no size", to_string(whole)));
  Integer size{.value = whole.size};
  Type result = literal_type(size);
  if (final_ || settled) expr.node = std::move(size);
  return result;
}

Type Checker::offset_of(Expr& expr, OffsetOf& node) {
  std::optional<Type> type;
  if (auto* name = std::get_if<TypeName>(&node.of)) type = named_type(*name);
  else type = expression(*std::get<Box<Expr>>(node.of));
  if (!type || is_unknown(*type)) return unknown_type();
  if (type->kind == Kind::pointer && type->element) type = *type->element;
  std::uint32_t bits = 0;
  for (const std::string& name : node.path) {
    const Type whole = type->kind == Kind::structure ? complete(*type) : *type;
    if (whole.kind != Kind::structure) return refuse(expr.at, fmt::format("a `{}` has no fields", to_string(whole)));
    auto place = find_field(*whole.btf.btf, whole.btf.id, name);
    if (!place) {
      std::vector<std::string_view> names;
      field_names(*whole.btf.btf, whole.btf.id, names);
      const std::string_view near = nearest(name, names);
      return refuse(expr.at, fmt::format("no field `{}` in `{}`", name, to_string(whole)), near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    }
    if (place->bits != 0) return refuse(expr.at, fmt::format("`{}` is a bit-field, which has no offset in bytes", name));
    bits += place->bit_offset;
    type = type_of_btf(whole.btf.btf, place->type, Space::none);
  }
  Integer offset{.value = bits / 8};
  Type result = literal_type(offset);
  if (final_) expr.node = std::move(offset);
  return result;
}

Type Checker::type_of(Expr& expr, TypeOf& node) {
  auto type = named_type(node.type);
  if (!type || is_unknown(*type)) return unknown_type();
  if (!node.info) return simple_type(Kind::type_name);
  if (checked_.config.unstable_typeinfo == Unstable::error)
    return refuse(expr.at, "typeinfo() may change, and is not allowed", "set `config = { unstable_typeinfo = enable }`");
  if (checked_.config.unstable_typeinfo == Unstable::warn) warning(expr.at, "typeinfo() may change");
  // What introspecting macros look at: (btf_id, base_ty, full_ty).
  std::string base = to_string(*type);
  base.resize(std::min(base.find_first_of("[ 0123456789"), base.size()));
  if (type->kind == Kind::tuple) base = "tuple";
  if (type->kind == Kind::record) base = "record";
  const bool has_id = type->btf.btf != nullptr;
  RecordLiteral info;
  const auto number = static_cast<std::uint64_t>(has_id ? static_cast<std::uint32_t>(type->btf.id) : 0U);
  info.members.emplace_back("btf_id", Expr{.node = Integer{.value = number}, .at = expr.at});
  info.members.emplace_back("base_ty", Expr{.node = String{base}, .at = expr.at});
  info.members.emplace_back("full_ty", Expr{.node = String{to_string(*type)}, .at = expr.at});
  Type result = record(info);
  if (final_) expr.node = std::move(info);
  return result;
}

}  // namespace espy::trace
