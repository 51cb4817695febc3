#include "object/map_attributes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "isa/token.hpp"

namespace espy::object {

namespace {

// Attributes that are numbers. Zero is not printed.
struct NumberRow {
  std::string_view key;
  std::uint32_t MapSpec::* member;
  bool hex = false;
};
constexpr std::array<NumberRow, 5> kNumbers = {{
    {"key", &MapSpec::key_size}, {"value", &MapSpec::value_size}, {"max_entries", &MapSpec::max_entries},
    {"flags", &MapSpec::flags, true}, {"numa_node", &MapSpec::numa_node},
}};

// Attributes that are words or need a thought.
constexpr std::array<std::string_view, 7> kOthers = {"type", "origin", "section", "pinning", "extra", "autocreate", "autoattach"};

struct OriginRow {
  MapOrigin origin;
  std::string_view name;
  std::string_view section;   // empty: the map's name
};
constexpr std::array<OriginRow, 7> kOrigins = {{
    {MapOrigin::btf, "btf", ".maps"}, {MapOrigin::legacy, "legacy", "maps"}, {MapOrigin::data, "data", ""},
    {MapOrigin::rodata, "rodata", ""}, {MapOrigin::bss, "bss", ""}, {MapOrigin::kconfig, "kconfig", ".kconfig"},
    {MapOrigin::struct_ops, "struct_ops", ".struct_ops"},
}};
const OriginRow& origin_row(MapOrigin origin) { return *std::ranges::find(kOrigins, origin, &OriginRow::origin); }
std::string_view default_section(const MapSpec& map) {
  std::string_view section = origin_row(map.origin).section;
  return section.empty() ? std::string_view(map.name) : section;
}

constexpr std::string_view kInner = "inner.", kSlot = "slot.", kFunc = "func.";

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void append_attributes(const MapSpec& map, std::string_view prefix, std::string& out) {
  if (map.origin != MapOrigin::btf) append(out, " {}origin={}", prefix, origin_row(map.origin).name);
  if (const facts::MapTypeRow* row = facts::find(map.type)) append(out, " {}type={}", prefix, row->name);
  else append(out, " {}type={}", prefix, std::to_underlying(map.type));
  for (const NumberRow& row : kNumbers) {
    if (std::uint32_t value = map.*row.member; value != 0) {
      if (row.hex) append(out, " {}{}={:#x}", prefix, row.key, value);
      else append(out, " {}{}={}", prefix, row.key, value);
    }
  }
  if (map.map_extra != 0) append(out, " {}extra={:#x}", prefix, map.map_extra);
  if (!map.section.empty() && map.section != default_section(map)) append(out, " {}section={}", prefix, isa::quoted(map.section));
  if (map.pinning == Pinning::by_name) append(out, " {}pinning=by_name", prefix);
  if (!map.autocreate) append(out, " {}autocreate=0", prefix);
  if (!map.autoattach) append(out, " {}autoattach=0", prefix);
}

// Runs of zeros are counted, the rest is written as hexadecimal, 32 bytes a line.
void append_contents(const std::vector<std::byte>& bytes, std::string& out) {
  constexpr std::size_t kLine = 32;
  for (std::size_t at = 0; at < bytes.size();) {
    auto rest = std::span(bytes).subspan(at);
    auto zeros = static_cast<std::size_t>(std::ranges::find_if(rest, [](std::byte b) { return b != std::byte{0}; }) - rest.begin());
    if (zeros >= kLine || zeros == rest.size()) {
      append(out, ".zero {}\n", zeros);
      at += zeros;
      continue;
    }
    out += ".bytes";
    std::size_t count = std::min(kLine, rest.size());
    for (std::byte b : rest.first(count)) append(out, " {:02x}", std::to_integer<unsigned>(b));
    out += '\n';
    at += count;
  }
}

std::unexpected<Error> error_at(const std::string& file, std::uint32_t line, std::uint32_t column, std::string message, std::string hint = {}) {
  return std::unexpected(Error{.kind = ErrorKind::malformed, .message = std::move(message), .where = place(file, line, column), .hint = std::move(hint)});
}

// Reads one map's attributes; those of other prefixes are left alone.
class AttributeReader {
 public:
  AttributeReader(const std::string& file, std::string_view prefix) : file_(file), prefix_(prefix) {}

  Result<void> read(const isa::Attribute& attribute, MapSpec& map) const {
    std::string_view key = std::string_view(attribute.key).substr(prefix_.size());
    for (const NumberRow& row : kNumbers) {
      if (row.key == key) return number(attribute, map.*row.member);
    }
    if (key == "type") return type(attribute, map);
    if (key == "origin") return origin(attribute, map);
    if (key == "extra") return number(attribute, map.map_extra);
    if (key == "autocreate") return flag(attribute, map.autocreate);
    if (key == "autoattach") return flag(attribute, map.autoattach);
    if (key == "section") return map.section = attribute.value, Result<void>();
    if (key == "pinning") return pinning(attribute, map);
    std::vector<std::string_view> names(kOthers.begin(), kOthers.end());
    for (const NumberRow& row : kNumbers) names.push_back(row.key);
    std::string_view near = nearest(key, names);
    return bad(attribute, fmt::format("a map has no attribute `{}`", attribute.key),
               near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}{}`?", prefix_, near));
  }

 private:
  std::unexpected<Error> bad(const isa::Attribute& attribute, std::string message, std::string hint = {}) const {
    return error_at(file_, attribute.line, attribute.column, std::move(message), std::move(hint));
  }
  template <typename T>
  Result<void> number(const isa::Attribute& attribute, T& member) const {
    std::optional<T> value = parse_number<T>(attribute.value);
    if (!value) return bad(attribute, fmt::format("`{}` of `{}` is not a number of {} bits", attribute.value, attribute.key, sizeof(T) * 8));
    member = *value;
    return {};
  }
  Result<void> flag(const isa::Attribute& attribute, bool& member) const {
    if (attribute.value != "0" && attribute.value != "1") return bad(attribute, fmt::format("`{}` is 0 or 1", attribute.key));
    member = attribute.value == "1";
    return {};
  }
  Result<void> type(const isa::Attribute& attribute, MapSpec& map) const {
    if (auto value = parse_number<std::uint32_t>(attribute.value)) {
      map.type = static_cast<facts::MapType>(*value);
      return {};
    }
    const facts::MapTypeRow* row = facts::find_map_type(attribute.value);
    if (row != nullptr) return map.type = row->type, Result<void>();
    std::vector<std::string_view> names;
    for (const facts::MapTypeRow& known : facts::map_types()) names.push_back(known.name);
    std::string_view near = nearest(attribute.value, names);
    return bad(attribute, fmt::format("there is no map type `{}`", attribute.value),
               near.empty() ? std::string("hash, array, ringbuf, …") : fmt::format("did you mean `{}`?", near));
  }
  Result<void> origin(const isa::Attribute& attribute, MapSpec& map) const {
    auto row = std::ranges::find(kOrigins, std::string_view(attribute.value), &OriginRow::name);
    if (row == kOrigins.end()) return bad(attribute, fmt::format("there is no map origin `{}`", attribute.value), "btf, data, rodata, bss, …");
    map.origin = row->origin;
    return {};
  }
  Result<void> pinning(const isa::Attribute& attribute, MapSpec& map) const {
    if (attribute.value != "by_name" && attribute.value != "none") return bad(attribute, "`pinning` is `none` or `by_name`");
    map.pinning = attribute.value == "by_name" ? Pinning::by_name : Pinning::none;
    return {};
  }

  const std::string& file_;
  std::string_view prefix_;
};

// The number in "slot.3".
Result<std::uint32_t> key_number(const isa::Attribute& attribute, std::string_view prefix, const std::string& file) {
  std::optional<std::uint32_t> value = parse_number<std::uint32_t>(std::string_view(attribute.key).substr(prefix.size()));
  if (!value) return error_at(file, attribute.line, attribute.column, fmt::format("`{}` needs a number behind its point", attribute.key));
  return *value;
}

}  // namespace

std::string place(const std::string& file, std::uint32_t line, std::uint32_t column) {
  return file.empty() ? fmt::format("line {}:{}", line, column) : fmt::format("{}:{}:{}", file, line, column);
}

std::string map_directive(const ObjectSpec& object, const MapSpec& map) {
  std::string out = fmt::format(".map {}", isa::quoted(map.name));
  append_attributes(map, "", out);
  if (map.inner != nullptr) append_attributes(*map.inner, kInner, out);
  for (const SlotValue& slot : map.slots) {
    const auto* index = std::get_if<MapIdx>(&slot.value);
    append(out, " {}{}={}", kSlot, slot.slot, isa::quoted(index != nullptr ? object.map(*index).name : std::get<std::string>(slot.value)));
  }
  for (const StructOpsMember& member : map.struct_ops_members) {
    append(out, " {}{}={}", kFunc, member.offset, isa::quoted(member.member + "=" + member.program, true));
  }
  out += '\n';
  append_contents(map.contents, out);
  return out;
}

Result<MapSpec> map_from_text(const isa::AssembledMap& text, const std::string& file) {
  MapSpec map;
  map.name = text.name;
  std::shared_ptr<MapSpec> inner;
  for (const isa::Attribute& attribute : text.attributes) {
    std::string_view key = attribute.key;
    if (key.starts_with(kSlot)) continue;  // link_map
    if (key.starts_with(kFunc)) {
      std::uint32_t offset = TRY(key_number(attribute, kFunc, file));
      std::size_t at = attribute.value.find('=');
      if (at == std::string::npos) return error_at(file, attribute.line, attribute.column, "expected \"member=program\"");
      map.struct_ops_members.push_back({offset, attribute.value.substr(0, at), attribute.value.substr(at + 1)});
    } else if (key.starts_with(kInner)) {
      if (inner == nullptr) inner = std::make_shared<MapSpec>();
      TRY(AttributeReader(file, kInner).read(attribute, *inner));
    } else {
      TRY(AttributeReader(file, "").read(attribute, map));
    }
  }
  if (map.type == facts::MapType::unspec && !map.is_data() && map.origin != MapOrigin::struct_ops) {
    return error_at(file, text.line, 1, fmt::format("map `{}` has no type", map.name), "as in `type=hash key=4 value=8 max_entries=1024`");
  }
  if (map.section.empty()) map.section = default_section(map);
  map.contents = text.contents;
  map.inner = std::move(inner);
  return map;
}

Result<void> link_map(const isa::AssembledMap& text, ObjectSpec& object, MapSpec& map, const std::string& file) {
  for (const isa::Attribute& attribute : text.attributes) {
    if (!attribute.key.starts_with(kSlot)) continue;
    SlotValue slot{.slot = TRY(key_number(attribute, kSlot, file)), .value = attribute.value};
    if (auto index = object.map_index(attribute.value)) slot.value = *index;
    else if (object.find_program(attribute.value) == nullptr) {
      return error_at(file, attribute.line, attribute.column, fmt::format("no map or program is named `{}`", attribute.value));
    }
    map.slots.push_back(std::move(slot));
  }
  return {};
}

}  // namespace espy::object
