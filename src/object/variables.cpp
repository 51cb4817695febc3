// Global variables by name: where each one's bytes stand, and how text becomes them before the object is loaded.
#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/text.hpp"
#include "object/spec.hpp"

namespace espy::object {
namespace {

using btf::Kind;

/// The part of a data section's contents that a name like `config.limits[2]` means, and its type.
struct Place {
  btf::TypeId type{};
  std::uint64_t offset = 0;
};

std::unexpected<Error> no_such(std::string_view what, std::string_view name, const std::vector<std::string_view>& known) {
  auto error = fail(ErrorKind::not_found, "no {} named `{}`", what, name);
  const std::string_view near = nearest(name, known);
  if (!near.empty()) {
    error.error().hint = fmt::format("did you mean `{}`?", near);
  } else if (!known.empty() && known.size() <= 20) {
    error.error().hint = fmt::format("there are: {}", fmt::join(known, ", "));
  }
  return error;
}

/// Finds a member, also inside anonymous structs and unions. Depth is bounded, and no type is searched twice: those of a
/// file may nest without end and fan out.
std::optional<Place> find_member(const btf::Btf& btf, btf::Type type, std::string_view name, std::uint64_t base, int depth,
                                 std::unordered_set<std::uint32_t>& searched) {
  if (depth > 16 || !searched.insert(static_cast<std::uint32_t>(type.id())).second) return std::nullopt;
  for (const btf::Member& member : type.members()) {
    if (member.bitfield_size != 0) continue;
    const std::uint64_t offset = base + member.bit_offset / 8;
    if (member.name == name) return Place{member.type, offset};
    if (!member.name.empty()) continue;
    btf::Type inner = btf.resolve(member.type);
    if (inner.kind() != Kind::struct_ && inner.kind() != Kind::union_) continue;
    if (auto found = find_member(btf, inner, name, offset, depth + 1, searched)) return found;
  }
  return std::nullopt;
}

Result<Place> step_into_field(const btf::Btf& btf, Place place, std::string_view name) {
  btf::Type type = btf.resolve(place.type);
  if (type.kind() != Kind::struct_ && type.kind() != Kind::union_)
    return fail(ErrorKind::invalid_argument, "`.{}`: a {} has no members", name, btf.type_name(place.type));
  std::unordered_set<std::uint32_t> searched;
  if (auto found = find_member(btf, type, name, place.offset, 0, searched)) return *found;
  std::vector<std::string_view> known;
  for (const btf::Member& member : type.members())
    if (!member.name.empty()) known.push_back(member.name);
  return no_such("member", name, known);
}

Result<Place> step_into_element(const btf::Btf& btf, Place place, std::string_view index) {
  btf::Type type = btf.resolve(place.type);
  if (type.kind() != Kind::array) return fail(ErrorKind::invalid_argument, "`[{}]`: a {} is no array", index, btf.type_name(place.type));
  const btf::ArrayInfo array = type.array();
  auto number = parse_number<std::uint32_t>(index);
  if (!number || *number >= array.count) return fail(ErrorKind::invalid_argument, "`[{}]`: the array has elements 0 to {}", index, array.count - 1);
  return Place{array.element, place.offset + std::uint64_t{*number} * TRY(btf.size_of(array.element))};
}

/// Follows `.field` and `[index]` from a variable.
Result<Place> follow(const btf::Btf& btf, Place place, std::string_view path) {
  while (!path.empty()) {
    if (path.front() == '.') {
      path.remove_prefix(1);
      const std::string_view name = path.substr(0, path.find_first_of(".["));
      place = TRY(step_into_field(btf, place, name));
      path.remove_prefix(name.size());
      continue;
    }
    const std::size_t close = path.find(']');
    if (path.front() != '[' || close == std::string_view::npos) return fail(ErrorKind::invalid_argument, "`{}`: write `.member` or `[index]`", path);
    place = TRY(step_into_element(btf, place, path.substr(1, close - 1)));
    path.remove_prefix(close + 1);
  }
  return place;
}

/// Does a signed or unsigned number of this many bits hold the value? `negative` says how the bits are meant.
bool fits(std::uint64_t bits, bool negative, unsigned width, bool is_signed) {
  if (negative) return is_signed && static_cast<std::int64_t>(bits) >= (width == 64 ? INT64_MIN : -(std::int64_t{1} << (width - 1)));
  const unsigned value_bits = is_signed ? width - 1 : width;
  return value_bits >= 64 || bits >> value_bits == 0;
}

std::string range_of(unsigned width, bool is_signed) {
  if (is_signed) return fmt::format("{} to {}", width == 64 ? INT64_MIN : -(std::int64_t{1} << (width - 1)), (std::uint64_t{1} << (width - 1)) - 1);
  return fmt::format("0 to {}", width == 64 ? UINT64_MAX : (std::uint64_t{1} << width) - 1);
}

/// A value as it will be stored: the low bytes of an integer, or bytes as they are.
using Encoded = std::vector<std::byte>;

Encoded low_bytes(std::uint64_t value, std::size_t size) {
  Encoded bytes(size);
  for (std::size_t i = 0; i < size && i < 8; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
  return bytes;
}

std::unexpected<Error> does_not_fit(const btf::Btf& btf, btf::TypeId type, std::string_view text, std::string expected) {
  auto error = fail(ErrorKind::invalid_argument, "`{}` is no value of type {}", text, btf.type_name(type));
  error.error().hint = std::move(expected);
  return error;
}

Result<Encoded> encode_integer(const btf::Btf& btf, btf::TypeId id, std::string_view text, std::size_t size, bool is_signed) {
  const unsigned width = static_cast<unsigned>(size) * 8;
  std::optional<std::uint64_t> bits;
  const bool negative = text.starts_with('-');
  if (negative) {
    if (auto number = parse_number<std::int64_t>(text)) bits = static_cast<std::uint64_t>(*number);
  } else {
    bits = parse_number<std::uint64_t>(text);
  }
  if (size == 0 || size > 8 || !bits || !fits(*bits, negative && *bits != 0, width, is_signed))
    return does_not_fit(btf, id, text, size <= 8 && size > 0 ? "a number from " + range_of(width, is_signed) : "numbers of this size cannot be set");
  return low_bytes(*bits, size);
}

Result<Encoded> encode_bool(const btf::Btf& btf, btf::TypeId id, std::string_view text, std::size_t size) {
  constexpr std::string_view kTrue[] = {"1", "true", "yes", "on", "y"}, kFalse[] = {"0", "false", "no", "off", "n"};
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return low_bytes(1, size);
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return low_bytes(0, size);
  return does_not_fit(btf, id, text, "true or false");
}

Result<Encoded> encode_enum(const btf::Btf& btf, btf::TypeId id, const btf::Type& type, std::string_view text) {
  std::vector<std::string_view> known;
  for (const btf::Enumerator& value : type.enumerators()) {
    if (value.name == text) return low_bytes(value.value, type.size());
    known.push_back(value.name);
  }
  if (!text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9')))
    return encode_integer(btf, id, text, type.size(), type.is_signed());
  return no_such("enumerator", text, known);
}

Result<Encoded> encode_float(const btf::Btf& btf, btf::TypeId id, std::string_view text, std::size_t size) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || (size != 4 && size != 8)) return does_not_fit(btf, id, text, "a number like 0.25");
  const auto narrow = static_cast<float>(value);
  Bytes bytes = size == 4 ? bytes_of(narrow) : bytes_of(value);
  return Encoded(bytes.begin(), bytes.end());
}

bool is_character(const btf::Type& type) { return type.kind() == Kind::int_ && type.size() == 1 && !type.int_info().is_bool; }

/// Text into a char array: cut nowhere, zeroes behind it.
Result<Encoded> encode_text(const btf::Btf& btf, btf::TypeId id, std::string_view text, std::size_t size) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.size() >= size) return does_not_fit(btf, id, text, fmt::format("at most {} bytes, and a zero behind them", size - 1));
  Encoded bytes(size);
  std::ranges::copy(bytes_of(text), bytes.begin());
  return bytes;
}

Result<Encoded> encode(const btf::Btf& btf, btf::TypeId id, std::string_view text) {
  btf::Type type = btf.resolve(id);
  const std::size_t size = TRY(btf.size_of(id));
  switch (type.kind()) {
    case Kind::int_:
      if (type.int_info().is_bool) return encode_bool(btf, id, text, size);
      if (size == 1 && text.size() == 3 && text.front() == '\'' && text.back() == '\'') return low_bytes(static_cast<unsigned char>(text[1]), 1);
      // A lone character that is no digit can only mean itself.
      if (type.name().ends_with("char") && text.size() == 1 && (text[0] < '0' || text[0] > '9')) return low_bytes(static_cast<unsigned char>(text[0]), 1);
      return encode_integer(btf, id, text, size, type.is_signed());
    case Kind::enum_:
    case Kind::enum64: return encode_enum(btf, id, type, text);
    case Kind::float_: return encode_float(btf, id, text, size);
    case Kind::ptr: return encode_integer(btf, id, text, size, false);
    case Kind::array:
      if (is_character(btf.resolve(type.array().element)) && size > 0) return encode_text(btf, id, text, size);
      break;
    default: break;
  }
  auto error = fail(ErrorKind::invalid_argument, "a value of type {} cannot be set as a whole", btf.type_name(id));
  error.error().hint = "set its parts: `VAR.member=VALUE`, `VAR[index]=VALUE`";
  return error;
}

Result<void> set(ObjectSpec& object, std::string_view name, std::string_view value) {
  const auto all = variables(object);
  const std::string_view root = name.substr(0, name.find_first_of(".["));
  auto variable = std::ranges::find(all, root, &Variable::name);
  if (variable == all.end()) {
    std::vector<std::string_view> known;
    for (const Variable& candidate : all) known.push_back(candidate.name);
    return no_such("global variable", root, known);
  }
  MapSpec& map = object.map(variable->map);
  if (map.origin == MapOrigin::kconfig) return fail(ErrorKind::invalid_argument, "`{}` is the kernel's configuration, which cannot be set", root);
  Place place = TRY(follow(*object.btf, {variable->type, variable->offset}, name.substr(root.size())));
  const std::uint64_t size = TRY(object.btf->size_of(place.type));
  if (place.offset > map.contents.size() || size > map.contents.size() - place.offset)
    return fail(ErrorKind::malformed, "`{}` is at {} of {}, whose size is {}", name, place.offset, map.name, map.contents.size());
  Encoded bytes = TRY(encode(*object.btf, place.type, value));
  std::ranges::copy(bytes, map.contents.begin() + static_cast<std::ptrdiff_t>(place.offset));
  return {};
}

}  // namespace

std::vector<Variable> variables(const ObjectSpec& object) {
  std::vector<Variable> result;
  if (object.btf == nullptr) return result;
  for (std::size_t i = 0; i < object.maps.size(); ++i) {
    const MapSpec& map = object.maps[i];
    if (!map.is_data() || map.value_type == btf::kVoid) continue;
    auto datasec = object.btf->find(map.value_type);
    if (!datasec || datasec->kind() != Kind::datasec) continue;
    for (const btf::SectionVar& entry : datasec->section_vars()) {
      auto var = object.btf->find(entry.type);
      if (!var || var->kind() != Kind::var || std::uint64_t{entry.offset} + entry.size > map.contents.size()) continue;
      result.push_back({.name = std::string(var->name()), .map = MapIdx{static_cast<std::uint32_t>(i)}, .type = var->target(),
                        .offset = entry.offset, .size = entry.size});
    }
  }
  return result;
}

Result<void> set_variable(ObjectSpec& object, std::string_view name, std::string_view value) {
  if (auto done = set(object, name, value); !done) return std::unexpected(wrap(std::move(done.error()), fmt::format("set `{}`", name)));
  return {};
}

}  // namespace espy::object
