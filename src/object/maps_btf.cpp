// Maps defined by BTF (SEC(".maps")): each is a variable whose type is a struct of attributes.
//
//   struct { __uint(type, 1); __type(key, u32); __array(values, struct inner); } name SEC(".maps");
//
// __uint(a, n) is a member `int (*a)[n]`: the number is an array's length. __type(k, T) is a pointer to T. __ulong(a, n)
// is a pointer to an enum with the one value n. `values` is an array without length of pointers to an inner map's struct,
// or to a function: what it is initialised with, relocations of .maps tell.
#include "object/reading.hpp"

namespace espy::object {
namespace {

using btf::Kind;
constexpr std::uint32_t kPointerBytes = 8;
constexpr int kDeepestInner = 1;  ///< kernels know maps of maps, and no maps of maps of maps
constexpr std::uint32_t kMostAttributes = 64;  ///< a dozen is known; many maps may share one struct

/// Reads one definition's members into a MapSpec.
class Definition {
 public:
  Definition(Reading& reading, std::string where, int depth) : reading_(reading), where_(std::move(where)), depth_(depth) {}

  Result<void> read(MapSpec& map, const btf::Type& type) {
    if (type.vlen() > kMostAttributes) return fail_at(where_, "map `{}` has {} attributes", map.name, type.vlen());
    for (const btf::Member& member : type.members()) {
      auto done = attribute(map, member);
      if (!done) return done;
    }
    if (!has_type_) return fail_at(where_, "map `{}` has no `type`", map.name);
    return {};
  }

 private:
  Result<void> attribute(MapSpec& map, const btf::Member& member) {
    const std::string_view name = member.name;
    if (name == "type") {
      has_type_ = true;
      map.type = static_cast<facts::MapType>(TRY(number(member)));
    } else if (name == "max_entries") {
      map.max_entries = TRY(number(member));
    } else if (name == "map_flags") {
      map.flags = TRY(number(member));
    } else if (name == "numa_node") {
      map.numa_node = TRY(number(member));
    } else if (name == "key_size") {
      TRY(set_size(map.key_size, TRY(number(member)), name));
    } else if (name == "value_size") {
      TRY(set_size(map.value_size, TRY(number(member)), name));
    } else if (name == "key") {
      map.key_type = TRY(pointed_to(member));
      TRY(set_size(map.key_size, TRY(reading_.btf()->size_of(map.key_type)), name));
    } else if (name == "value") {
      map.value_type = TRY(pointed_to(member));
      TRY(set_size(map.value_size, TRY(reading_.btf()->size_of(map.value_type)), name));
    } else if (name == "values") {
      TRY(values(map, member));
    } else if (name == "pinning") {
      TRY(pinning(map, TRY(number(member))));
    } else if (name == "map_extra") {
      map.map_extra = TRY(wide_number(member));
    } else {
      reading_.warn(where_, fmt::format("map `{}` has an attribute `{}` that is not known", map.name, name),
                    "it is ignored: write it as <bpf/bpf_helpers.h> of a current libbpf documents");
    }
    return {};
  }

  /// The type a pointer member points to, modifiers kept.
  Result<btf::TypeId> pointed_to(const btf::Member& member) {
    btf::Type type = reading_.btf()->resolve(member.type);
    if (type.kind() != Kind::ptr) return not_as_expected(member, "a pointer", type);
    return type.target();
  }

  Result<std::uint32_t> number(const btf::Member& member) {
    btf::Type type = reading_.btf()->resolve(TRY(pointed_to(member)));
    if (type.kind() != Kind::array) return not_as_expected(member, "__uint(…)", type);
    return type.array().count;
  }

  Result<std::uint64_t> wide_number(const btf::Member& member) {
    btf::Type type = reading_.btf()->resolve(TRY(pointed_to(member)));
    if (type.kind() == Kind::array) return std::uint64_t{type.array().count};
    if ((type.kind() == Kind::enum_ || type.kind() == Kind::enum64) && type.vlen() == 1) return type.enumerator(0).value;
    return not_as_expected(member, "__uint(…) or __ulong(…)", type);
  }

  /// key and key_size may both be given, but must agree.
  Result<void> set_size(std::uint32_t& size, std::uint32_t value, std::string_view attribute) {
    if (size != 0 && size != value) return fail_at(where_, "`{}` says {} bytes, another attribute {}", attribute, value, size);
    size = value;
    return {};
  }

  Result<void> pinning(MapSpec& map, std::uint32_t value) {
    if (depth_ > 0) return fail_at(where_, "an inner map cannot be pinned by its definition");
    if (value > 1) return fail_at(where_, "`pinning` is {}: 0 is none, 1 by name", value);
    map.pinning = value == 1 ? Pinning::by_name : Pinning::none;
    return {};
  }

  Result<void> values(MapSpec& map, const btf::Member& member) {
    if (depth_ >= kDeepestInner) return fail_at(where_, "a map of maps of maps");
    if (map.inner != nullptr) return fail_at(where_, "a second `values`");
    btf::Type array = reading_.btf()->resolve(member.type);
    if (array.kind() != Kind::array || array.array().count != 0) return not_as_expected(member, "__array(values, …)", array);
    btf::Type element = reading_.btf()->resolve(array.array().element);
    if (element.kind() != Kind::ptr) return not_as_expected(member, "an array of pointers", element);
    btf::Type target = reading_.btf()->resolve(element.target());
    TRY(set_size(map.value_size, 4, "values"));
    if (target.kind() == Kind::func_proto) return {};
    if (target.kind() != Kind::struct_) return not_as_expected(member, "an inner map's struct or a function", target);
    auto inner = std::make_shared<MapSpec>();
    inner->name = map.name + ".inner";
    inner->section = map.section;
    TRY(Definition(reading_, where_ + ": values", depth_ + 1).read(*inner, target));
    map.inner = std::move(inner);
    return {};
  }

  std::unexpected<Error> not_as_expected(const btf::Member& member, std::string_view expected, const btf::Type& type) {
    return fail_at(where_, "`{}` should be {}, its type is a {}", member.name, expected, btf::to_string(type.kind()));
  }

  Reading& reading_;
  std::string where_;
  int depth_;
  bool has_type_ = false;
};

Result<void> read_map(Reading& reading, const ElfSection& section, const btf::SectionVar& entry) {
  btf::Type var = TRY(reading.btf()->find(entry.type));
  MapSpec map{.name = std::string(var.name()), .origin = MapOrigin::btf, .section = section.name};
  if (map.name.empty() || var.kind() != Kind::var) return fail_at(reading.elf.where(section, entry.offset), "a map without a name");
  btf::Type type = reading.btf()->resolve(var.target());
  const std::string where = fmt::format("{}: map {}", reading.elf.where(section, entry.offset), map.name);
  if (type.kind() != Kind::struct_) return fail_at(where, "its definition is a {}, not a struct", btf::to_string(type.kind()));
  if (std::uint64_t{entry.offset} + entry.size > section.size)
    return fail_at(where, "its definition ends at {:#x}, the section at {:#x}", std::uint64_t{entry.offset} + entry.size, section.size);
  TRY(Definition(reading, where, 0).read(map, type));
  reading.map_places.emplace(MapPlace(section.index, entry.offset), reading.add_map(std::move(map)));
  return {};
}

/// A definition in .maps that has `values`: where these begin, and where the definition ends.
struct SlotPlace {
  MapIdx map{};
  std::uint64_t values = 0, end = 0;
};
/// By where the definition begins.
std::map<std::uint64_t, SlotPlace> slot_places(const Reading& reading, const ElfSection& section, const btf::Type& maps) {
  std::map<std::uint64_t, SlotPlace> places;
  for (const btf::SectionVar& entry : maps.section_vars()) {
    auto map = reading.map_places.find({section.index, entry.offset});
    if (map == reading.map_places.end()) continue;
    for (const btf::Member& member : reading.btf()->resolve(reading.btf()->type(entry.type).target()).members())
      if (member.name == "values") places.try_emplace(entry.offset, map->second, entry.offset + std::uint64_t{member.bit_offset} / 8, std::uint64_t{entry.offset} + entry.size);
  }
  return places;
}

}  // namespace

Result<void> read_btf_maps(Reading& reading) {
  const ElfSection* section = reading.elf.find_section(".maps");
  if (section == nullptr || section->size == 0) return {};
  auto sec = datasec(reading, ".maps");
  if (!sec) {
    auto error = fail_at(reading.elf.where(*section), "the object's BTF does not describe its maps");
    error.error().hint = "compile with -g";
    return error;
  }
  for (const btf::SectionVar& entry : sec->section_vars()) TRY(read_map(reading, *section, entry));
  return {};
}

Result<void> read_slots(Reading& reading) {
  const ElfSection* section = reading.elf.find_section(".maps");
  auto sec = datasec(reading, ".maps");
  if (section == nullptr || !sec || reading.elf.relocations(section->index).empty()) return {};
  const auto places = slot_places(reading, *section, *sec);
  const auto programs = reading.program_names();
  std::unordered_map<std::string, MapIdx> maps;
  for (std::size_t i = 0; i < reading.object.maps.size(); ++i) maps.try_emplace(reading.object.maps[i].name, static_cast<MapIdx>(i));
  for (const ElfRelocation& relocation : reading.elf.relocations(section->index)) {
    const ElfSymbol& symbol = reading.elf.symbols()[relocation.symbol];
    const std::string where = reading.elf.where(*section, relocation.offset);
    auto after = places.upper_bound(relocation.offset);
    const SlotPlace place = after == places.begin() ? SlotPlace{} : std::prev(after)->second;
    if (relocation.offset >= place.end || relocation.offset < place.values || (relocation.offset - place.values) % kPointerBytes != 0)
      return fail_at(where, "a reference to `{}` that initialises no map's `values`", reading.elf.name_of(symbol));
    const auto slot = static_cast<std::uint32_t>((relocation.offset - place.values) / kPointerBytes);
    MapSpec& map = reading.object.map(place.map);
    if (map.inner == nullptr) {
      if (!programs.contains(symbol.name))
        return fail_at(where, "map `{}`: slot {} names `{}`, which is no program", map.name, slot, reading.elf.name_of(symbol));
      add_slot(map, slot, symbol.name);
    } else {
      auto inner = maps.find(symbol.name);
      if (inner == maps.end()) return fail_at(where, "map `{}`: slot {} names `{}`, which is no map", map.name, slot, reading.elf.name_of(symbol));
      add_slot(map, slot, inner->second);
    }
  }
  return {};
}

}  // namespace espy::object
