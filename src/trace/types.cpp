#include "trace/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace espy::trace {

namespace {

std::uint32_t align_up(std::uint32_t offset, std::uint32_t alignment) { return (offset + alignment - 1) / alignment * alignment; }

/// Lays fields out in order and returns the size of the whole.
std::uint32_t lay_out(std::vector<Field>& fields) {
  std::uint32_t offset = 0, largest = 1;
  for (Field& field : fields) {
    const std::uint32_t alignment = alignment_of(field.type);
    field.offset = align_up(offset, alignment);
    offset = field.offset + field.type.size;
    largest = std::max(largest, alignment);
  }
  return align_up(offset, largest);
}

struct SimpleRow {
  Kind kind;
  std::string_view name;
  std::uint32_t size, alignment;
};
// Kinds with one size. What the map functions keep has the size of its plain value here; its layout is the map's (plan.hpp).
constexpr SimpleRow kSimple[] = {
    {Kind::none, "void", 0, 1},
    {Kind::boolean, "bool", 1, 1},
    {Kind::inet, "inet_t", 20, 4},
    {Kind::mac, "mac_t", 6, 1},
    {Kind::ksym, "ksym_t", 8, 8},
    {Kind::usym, "usym_t", 16, 8},
    {Kind::kstack, "kstack_t", 8, 8},
    {Kind::ustack, "ustack_t", 24, 8},
    {Kind::username, "username_t", 8, 8},
    {Kind::timestamp, "timestamp_t", 16, 8},
    {Kind::cgroup_path, "cgroup_path_t", 16, 8},
    {Kind::gfp_flags, "gfp_flags_t", 8, 8},
    {Kind::strerror, "strerror_t", 8, 8},
    {Kind::signal_name, "signal_name_t", 8, 8},
    {Kind::syscall_name, "syscall_name_t", 8, 8},
    {Kind::probe_name, "probe_t", 8, 8},
    {Kind::count, "count_t", 8, 8},
    {Kind::sum, "sum_t", 8, 8},
    {Kind::avg, "avg_t", 16, 8},
    {Kind::min, "min_t", 16, 8},
    {Kind::max, "max_t", 16, 8},
    {Kind::stats, "stats_t", 16, 8},
    {Kind::hist, "hist_t", 8, 8},
    {Kind::lhist, "lhist_t", 8, 8},
    {Kind::tseries, "tseries_t", 8, 8},
    {Kind::stack_mode, "stack_mode", 0, 1},
    {Kind::type_name, "type", 0, 1},
    {Kind::map_reference, "map", 0, 1},
    {Kind::unknown, "unknown", 0, 1},
};

const SimpleRow* simple_row(Kind kind) {
  auto row = std::ranges::find(kSimple, kind, &SimpleRow::kind);
  return row == std::end(kSimple) ? nullptr : &*row;
}

std::string list_of(const std::vector<Field>& fields) {
  std::string out;
  for (const Field& field : fields) {
    if (!out.empty()) out += ',';
    if (!field.name.empty()) out += field.name + '=';
    out += to_string(field.type);
  }
  return out;
}

bool same_fields(const Type& a, const Type& b) {
  if (a.fields == b.fields) return true;
  if (!a.fields || !b.fields) return false;
  return std::ranges::equal(*a.fields, *b.fields, [](const Field& x, const Field& y) {
    return x.name == y.name && x.offset == y.offset && same_type(x.type, y.type);
  });
}

/// The same type of C, also where one is found through a BTF on top of the other's, or in two that describe it alike.
bool same_btf(const Type& a, const Type& b) {
  if (!a.btf.btf || !b.btf.btf) return a.btf.btf == b.btf.btf;
  if (a.btf.id == b.btf.id) {
    if (a.btf.btf == b.btf.btf) return true;
    const btf::Type left = a.btf.btf->type(a.btf.id), right = b.btf.btf->type(b.btf.id);
    if (&left.btf() == &right.btf()) return true;
  }
  const btf::Type left = a.btf.btf->type(a.btf.id), right = b.btf.btf->type(b.btf.id);
  return left.kind() == right.kind() && !left.name().empty() && left.name() == right.name() && a.size == b.size;
}

// Pointers to pointers and arrays of arrays nest this deep; hostile BTF may circle.
constexpr unsigned kMaxDepth = 16;
Type type_at(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space, unsigned depth);

Type array_at(const std::shared_ptr<const btf::Btf>& btf, const btf::Type& type, Space space, unsigned depth) {
  const btf::ArrayInfo info = type.array();
  Type element = depth < kMaxDepth ? type_at(btf, info.element, space, depth + 1) : Type{};
  // Sizes are bounded by what a u32 holds: a hostile count cannot wrap.
  const std::uint64_t bytes = std::uint64_t{element.size} * info.count;
  Type out = array_of(std::move(element), bytes > UINT32_MAX ? 0 : info.count);
  out.space = space;
  return out;
}

Type type_at(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space, unsigned depth) {
  const btf::Type type = btf->resolve(id);
  switch (type.kind()) {
    case btf::Kind::int_: {
      const btf::IntInfo info = type.int_info();
      if (info.is_bool) return boolean_type();
      if (type.size() > 8) {  // __int128: its bytes
        Type wide = array_of(integer_type(8, info.is_signed), type.size() / 8);
        wide.space = space;
        return wide;
      }
      return integer_type(type.size(), info.is_signed);
    }
    case btf::Kind::ptr: {
      // A structure is only named here, so that one that points to itself ends.
      return pointer_to(depth < kMaxDepth ? type_at(btf, type.target(), space, depth + 1) : Type{}, space);
    }
    case btf::Kind::array: return array_at(btf, type, space, depth);
    case btf::Kind::struct_: case btf::Kind::union_:
      return {.kind = Kind::structure, .space = space, .size = type.size(), .btf = {btf, type.id()}};
    case btf::Kind::fwd: return {.kind = Kind::structure, .space = space, .size = 0, .btf = {btf, type.id()}};
    case btf::Kind::enum_: case btf::Kind::enum64:
      return {.kind = Kind::enumeration, .is_signed = type.is_signed(), .size = type.size(), .btf = {btf, type.id()}};
    case btf::Kind::float_: return integer_type(std::min<std::uint32_t>(type.size(), 8), false);
    default: return {};
  }
}

}  // namespace

bool Type::is_scalar() const {
  switch (kind) {
    case Kind::integer: case Kind::boolean: case Kind::pointer: case Kind::enumeration: case Kind::ksym: case Kind::kstack:
    case Kind::username: case Kind::gfp_flags: case Kind::strerror: case Kind::signal_name: case Kind::syscall_name:
    case Kind::probe_name: return true;
    default: return false;
  }
}

Type integer_type(std::uint32_t bytes, bool is_signed) { return {.kind = Kind::integer, .is_signed = is_signed, .size = bytes}; }

Type boolean_type() { return {.kind = Kind::boolean, .size = 1}; }

Type string_type(std::uint32_t bytes) { return {.kind = Kind::string, .size = bytes}; }

Type buffer_type(std::uint32_t bytes) { return {.kind = Kind::buffer, .size = bytes + 4}; }

Type pointer_to(Type element, Space space) {
  return {.kind = Kind::pointer, .space = space, .size = 8, .element = std::make_shared<const Type>(std::move(element))};
}

Type array_of(Type element, std::uint32_t count) {
  const std::uint32_t size = element.size * count;
  return {.kind = Kind::array, .size = size, .count = count, .element = std::make_shared<const Type>(std::move(element))};
}

Type tuple_of(std::vector<Type> members) {
  std::vector<Field> fields;
  fields.reserve(members.size());
  for (Type& member : members) fields.push_back({.name = {}, .type = std::move(member)});
  const std::uint32_t size = lay_out(fields);
  return {.kind = Kind::tuple, .size = size, .fields = std::make_shared<const std::vector<Field>>(std::move(fields))};
}

Type record_of(std::vector<Field> members) {
  const std::uint32_t size = lay_out(members);
  return {.kind = Kind::record, .size = size, .fields = std::make_shared<const std::vector<Field>>(std::move(members))};
}

Type simple_type(Kind kind) {
  const SimpleRow* row = simple_row(kind);
  return {.kind = kind, .size = row != nullptr ? row->size : 0};
}

Type type_of_btf(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space) { return type_at(btf, id, space, 0); }

std::uint32_t alignment_of(const Type& type) {
  switch (type.kind) {
    case Kind::integer: case Kind::enumeration: case Kind::pointer: return std::clamp<std::uint32_t>(type.size, 1, 8);
    case Kind::string: return 1;
    case Kind::buffer: return 4;
    case Kind::array: return type.element ? alignment_of(*type.element) : 1;
    case Kind::structure: {
      const auto alignment = type.btf.btf ? type.btf.btf->align_of(type.btf.id).value_or(1) : 1;
      return std::clamp<std::uint32_t>(alignment, 1, 8);
    }
    case Kind::tuple: case Kind::record: {
      std::uint32_t largest = 1;
      if (type.fields)
        for (const Field& field : *type.fields) largest = std::max(largest, alignment_of(field.type));
      return largest;
    }
    default: {
      const SimpleRow* row = simple_row(type.kind);
      return row != nullptr ? row->alignment : 1;
    }
  }
}

std::string to_string(const Type& type) {
  switch (type.kind) {
    case Kind::integer: return fmt::format("{}int{}", type.is_signed ? "" : "u", type.size * 8);
    case Kind::pointer: {
      const std::string to = type.element ? to_string(*type.element) : "void";
      return to + (to.ends_with('*') ? "*" : " *");
    }
    case Kind::string: return fmt::format("string[{}]", type.size);
    case Kind::buffer: return fmt::format("buffer[{}]", type.size - 4);
    case Kind::array: {
      // Written outermost dimension first: an array of 2 of int32[3] is int32[2][3].
      const Type* innermost = &type;
      std::string dimensions;
      for (; innermost->kind == Kind::array && innermost->element; innermost = innermost->element.get())
        dimensions += fmt::format("[{}]", innermost->count);
      return to_string(*innermost) + dimensions;
    }
    case Kind::structure: case Kind::enumeration:
      return type.btf.btf ? type.btf.btf->type_name(type.btf.id) : (type.kind == Kind::structure ? "struct" : "enum");
    case Kind::tuple: return fmt::format("({})", type.fields ? list_of(*type.fields) : "");
    case Kind::record: return fmt::format("({})", type.fields ? list_of(*type.fields) : "");
    default: {
      const SimpleRow* row = simple_row(type.kind);
      return row != nullptr ? std::string(row->name) : "void";
    }
  }
}

bool same_type(const Type& a, const Type& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::integer: return a.size == b.size && a.is_signed == b.is_signed;
    case Kind::string: case Kind::buffer: return a.size == b.size;
    case Kind::pointer: case Kind::array:
      if (a.count != b.count || a.size != b.size) return false;
      return a.element == b.element || (a.element && b.element && same_type(*a.element, *b.element));
    case Kind::structure: case Kind::enumeration: return same_btf(a, b);
    case Kind::tuple: case Kind::record: return same_fields(a, b);
    case Kind::kstack: case Kind::ustack: return a.mode == b.mode && a.count == b.count;
    default: return a.is_signed == b.is_signed && a.shape == b.shape;
  }
}

}  // namespace espy::trace
