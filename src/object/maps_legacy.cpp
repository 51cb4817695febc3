// Maps as they were defined before BTF: variables of a plain struct in a section named `maps`.
//
//   libbpf < 1.0   struct bpf_map_def { type, key_size, value_size, max_entries, map_flags }              20 bytes
//   iproute2       struct bpf_elf_map { type, size_key, size_value, max_elem, flags, id, pinning,
//                                       inner_id, inner_idx }                                        28 or 36 bytes
// and older, shorter or longer ones. With BTF the struct's members say which field is which; without, its size does.
#include <algorithm>
#include <array>

#include "object/reading.hpp"

namespace espy::object {
namespace {

enum class Field : std::uint8_t { type, key_size, value_size, max_entries, flags, id, pinning, inner_id, inner_idx, numa_node };

struct FieldName {
  std::string_view name;
  Field field;
};
constexpr auto kFieldNames = std::to_array<FieldName>({
    {"type", Field::type}, {"key_size", Field::key_size}, {"size_key", Field::key_size}, {"value_size", Field::value_size},
    {"size_value", Field::value_size}, {"max_entries", Field::max_entries}, {"max_elem", Field::max_entries},
    {"map_flags", Field::flags}, {"flags", Field::flags}, {"id", Field::id}, {"map_id", Field::id},
    {"pinning", Field::pinning}, {"inner_id", Field::inner_id}, {"inner_idx", Field::inner_idx}, {"numa_node", Field::numa_node},
});

/// What one definition says: each field's value, if it has that field.
using Fields = std::array<std::optional<std::uint32_t>, 10>;
std::optional<std::uint32_t>& at(Fields& fields, Field field) { return fields[std::to_underlying(field)]; }
std::uint32_t value(const Fields& fields, Field field) { return fields[std::to_underlying(field)].value_or(0); }

constexpr std::size_t kBaseBytes = 20, kShortest = 16, kElfMapBytes = 28, kElfMapInnerBytes = 36;
constexpr std::uint32_t kNoInnerIdx = ~0U;
constexpr std::size_t kMostConnections = std::size_t{1} << 16;  ///< ids need not be unique: each outer map may mean each inner one

struct LegacyMap {
  const ElfSymbol* symbol = nullptr;
  Bytes bytes;
  std::uint64_t offset = 0;
};

std::uint32_t word(const Reading& reading, Bytes bytes, std::size_t offset) { return load<std::uint32_t>(bytes, offset, reading.elf.endian()); }

/// The variables of the object's BTF by name.
using Variables = std::unordered_map<std::string_view, btf::Type>;
Variables variables_of(const btf::Btf* btf) {
  Variables variables;
  for (std::uint32_t id = 1; btf != nullptr && id < btf->type_count(); ++id)
    if (btf::Type type = btf->type(btf::TypeId{id}); type.kind() == btf::Kind::var) variables.try_emplace(type.name(), type);
  return variables;
}

/// The struct's members by name, where the object's BTF has the variable.
std::optional<Fields> fields_by_btf(const Reading& reading, const LegacyMap& map, const Variables& variables) {
  constexpr std::uint32_t kMostFields = 64;  // more are no map's, and many maps may share one struct
  auto var = variables.find(map.symbol->name);
  if (var == variables.end()) return std::nullopt;
  btf::Type type = reading.btf()->resolve(var->second.target());
  if (type.kind() != btf::Kind::struct_ || type.vlen() > kMostFields) return std::nullopt;
  Fields fields{};
  for (const btf::Member& member : type.members()) {
    auto known = std::ranges::find(kFieldNames, member.name, &FieldName::name);
    const std::size_t offset = member.bit_offset / 8;
    if (known != kFieldNames.end() && offset + 4 <= map.bytes.size()) at(fields, known->field) = word(reading, map.bytes, offset);
  }
  return at(fields, Field::type) ? std::optional(fields) : std::nullopt;
}

Fields fields_by_size(const Reading& reading, const LegacyMap& map) {
  constexpr std::array kOrder = {Field::type, Field::key_size, Field::value_size, Field::max_entries, Field::flags,
                                 Field::id, Field::pinning, Field::inner_id, Field::inner_idx};
  // Only the two sizes that iproute2 had mean its fields; any other length is bpf_map_def with unknown words behind it.
  const bool iproute2 = map.bytes.size() == kElfMapBytes || map.bytes.size() == kElfMapInnerBytes;
  const std::size_t count = iproute2 ? map.bytes.size() / 4 : std::min<std::size_t>(map.bytes.size() / 4, 5);
  Fields fields{};
  for (std::size_t i = 0; i < count; ++i) at(fields, kOrder[i]) = word(reading, map.bytes, i * 4);
  return fields;
}

/// The definitions of one section, by its symbols. Each reaches to the next, for compilers that gave symbols no size.
Result<std::vector<LegacyMap>> definitions(const Reading& reading, const ElfSection& section) {
  std::vector<LegacyMap> maps;
  for (std::uint32_t i : reading.elf.symbols_of(section))
    if (const ElfSymbol& symbol = reading.elf.symbols()[i]; !symbol.name.empty() && symbol.type != SymbolType::section && symbol.type != SymbolType::file)
      maps.push_back({.symbol = &symbol, .bytes = {}, .offset = symbol.value});
  std::ranges::stable_sort(maps, {}, &LegacyMap::offset);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::uint64_t end = i + 1 < maps.size() ? maps[i + 1].offset : section.bytes.size();
    const std::uint64_t size = maps[i].symbol->size != 0 ? std::min(maps[i].symbol->size, end - maps[i].offset) : end - maps[i].offset;
    if (size < kShortest)
      return fail_at(reading.elf.where(section, maps[i].offset), "map `{}` has a definition of {} bytes, the shortest known has {}",
                     maps[i].symbol->name, size, kShortest);
    maps[i].bytes = section.bytes.subspan(maps[i].offset, size);
  }
  return maps;
}

struct Placed {
  MapIdx map{};
  Fields fields{};
};

Placed add_map(Reading& reading, const ElfSection& section, const LegacyMap& definition, const Variables& variables) {
  Fields fields = fields_by_btf(reading, definition, variables).value_or(fields_by_size(reading, definition));
  MapSpec map{.name = definition.symbol->name, .origin = MapOrigin::legacy, .section = section.name,
              .type = static_cast<facts::MapType>(value(fields, Field::type)), .key_size = value(fields, Field::key_size),
              .value_size = value(fields, Field::value_size), .max_entries = value(fields, Field::max_entries),
              .flags = value(fields, Field::flags), .numa_node = value(fields, Field::numa_node),
              .pinning = value(fields, Field::pinning) != 0 ? Pinning::by_name : Pinning::none};
  const bool iproute2 = at(fields, Field::id).has_value();
  const bool known = iproute2 || definition.bytes.size() <= kBaseBytes || std::ranges::all_of(definition.bytes.subspan(kBaseBytes), [](std::byte b) { return b == std::byte{0}; });
  const std::string name = map.name;
  const facts::MapType type = map.type;
  const MapIdx index = reading.add_map(std::move(map));
  const std::string where = reading.elf.where(section, definition.offset);
  reading.warn(where, fmt::format("map `{}` is defined as {}", name, iproute2 ? "iproute2's struct bpf_elf_map" : "struct bpf_map_def, which libbpf 1.0 dropped"),
               "define it by BTF: struct { __uint(type, …); __type(key, …); __type(value, …); } NAME SEC(\".maps\")");
  if (!known) reading.warn(where, fmt::format("map `{}`: {} bytes beyond struct bpf_map_def are not understood", name, definition.bytes.size() - kBaseBytes), "they are ignored");
  reading.map_places.emplace(MapPlace(section.index, definition.offset), index);
  if (value(fields, Field::id) != 0 && type == facts::MapType::prog_array) reading.prog_arrays.emplace(value(fields, Field::id), index);
  return {index, fields};
}

/// iproute2's maps in maps: the outer map's inner_id is the id of its template; a template with an inner_idx is put there.
Result<void> connect_inner_maps(Reading& reading, const std::vector<Placed>& maps) {
  std::multimap<std::uint32_t, const Placed*> by_id;  // those of one id in their order
  for (const Placed& inner : maps)
    if (std::uint32_t id = value(inner.fields, Field::id); id != 0) by_id.emplace(id, &inner);
  std::size_t connections = 0;
  for (const Placed& outer : maps) {
    const std::uint32_t inner_id = value(outer.fields, Field::inner_id);
    const facts::MapType type = reading.object.map(outer.map).type;
    if (inner_id == 0 || (type != facts::MapType::array_of_maps && type != facts::MapType::hash_of_maps)) continue;
    auto [begin, end] = by_id.equal_range(inner_id);
    for (const auto& [id, found] : std::ranges::subrange(begin, end)) {
      if (++connections > kMostConnections) return fail_at(reading.elf.path(), "more than {} maps in maps", kMostConnections);
      const Placed& inner = *found;
      MapSpec& map = reading.object.map(outer.map);
      if (map.inner == nullptr) map.inner = std::make_shared<MapSpec>(reading.object.map(inner.map));
      const std::uint32_t slot = value(inner.fields, Field::inner_idx);
      if (slot != kNoInnerIdx && slot < map.max_entries) add_slot(map, slot, inner.map);
    }
  }
  return {};
}

}  // namespace

Result<void> read_legacy_maps(Reading& reading) {
  std::vector<Placed> placed;
  std::optional<Variables> variables;
  for (const ElfSection& section : reading.elf.sections()) {
    if ((section.name != "maps" && !section.name.starts_with("maps/")) || section.bytes.empty() || section.executable) continue;
    if (!variables) variables = variables_of(reading.btf());
    for (const LegacyMap& definition : TRY(definitions(reading, section))) placed.push_back(add_map(reading, section, definition, *variables));
  }
  return connect_inner_maps(reading, placed);
}

}  // namespace espy::object
