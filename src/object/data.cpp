// Global variables: each data section becomes a map of one value, whose bytes are the section's.
//
// libbpf's rules, which kernels and skeletons rely on: .data*, .rodata* and .bss* sections that are not empty; an array
// of one element, read-only to programs for .rodata, mappable where it holds a variable that is not static. Variables in
// an arena's address space (`__arena`, compiled into section .addr_space.1) belong to the object's arena map instead.
#include "object/reading.hpp"

namespace espy::object {
namespace {

constexpr std::uint32_t kFlagReadOnlyProgram = 1U << 7;  // BPF_F_RDONLY_PROG
constexpr std::uint32_t kFlagMappable = 1U << 10;        // BPF_F_MMAPABLE
constexpr std::string_view kArenaSection = ".addr_space.1";

struct DataKind {
  std::string_view name;
  MapOrigin origin;
};
constexpr DataKind kDataKinds[] = {{".data", MapOrigin::data}, {".rodata", MapOrigin::rodata}, {".bss", MapOrigin::bss}};

/// `.data` and `.data.anything`, but not `.database`.
std::optional<MapOrigin> data_origin(const ElfSection& section) {
  for (const DataKind& kind : kDataKinds) {
    if (!section.name.starts_with(kind.name)) continue;
    if (section.name.size() > kind.name.size() && section.name[kind.name.size()] != '.') continue;
    const bool has_bytes = section.type == SectionType::code_or_data;
    if (kind.origin == MapOrigin::bss ? section.type != SectionType::zeroes : !has_bytes) continue;
    return kind.origin;
  }
  return std::nullopt;
}

std::vector<std::byte> contents_of(const ElfSection& section) {
  if (section.type == SectionType::zeroes) return std::vector<std::byte>(section.size);
  return {section.bytes.begin(), section.bytes.end()};
}

/// Is any variable visible outside its compilation unit? Then user space may want to map the section.
bool has_global_variable(const Reading& reading, const btf::Type& datasec) {
  for (const btf::SectionVar& entry : datasec.section_vars())
    if (auto var = reading.btf()->find(entry.type); var && var->linkage() != btf::Linkage::static_) return true;
  return false;
}

void add_data_map(Reading& reading, const ElfSection& section, MapOrigin origin) {
  MapSpec map{.name = section.name, .origin = origin, .section = section.name, .type = facts::MapType::array, .key_size = 4,
              .value_size = static_cast<std::uint32_t>(section.size), .max_entries = 1, .contents = contents_of(section)};
  if (origin == MapOrigin::rodata) map.flags |= kFlagReadOnlyProgram;
  // Of several sections that have one name, the BTF describes the first.
  if (auto sec = datasec(reading, section.name); sec && reading.elf.find_section(section.name) == &section) {
    map.value_type = sec->id();
    if (has_global_variable(reading, *sec)) map.flags |= kFlagMappable;
  }
  reading.data_maps[section.index] = reading.add_map(std::move(map));
}

/// A pointer stored in data has no value before the program runs, and kernels do not give it one.
void warn_of_pointers(Reading& reading, const ElfSection& section) {
  const auto& relocations = reading.elf.relocations(section.index);
  if (relocations.empty()) return;
  const ElfRelocation& first = relocations.front();
  const ElfSymbol& symbol = reading.elf.symbols()[first.symbol];
  reading.warn(reading.elf.where(section, first.offset),
               fmt::format("{} of its initial values are addresses, the first of `{}`: kernels give globals and functions none",
                           relocations.size(), reading.elf.name_of(symbol)),
               "such a value stays an offset; store an index into an array instead, or use a switch");
}

Result<void> read_arena(Reading& reading, const ElfSection& section) {
  for (std::size_t i = 0; i < reading.object.maps.size(); ++i) {
    MapSpec& map = reading.object.maps[i];
    if (map.type != facts::MapType::arena) continue;
    map.contents = contents_of(section);
    reading.data_maps[section.index] = MapIdx{static_cast<std::uint32_t>(i)};
    return {};
  }
  auto error = fail_at(reading.elf.where(section), "variables in an arena, but the object defines no arena map");
  error.error().hint = "define a map of type BPF_MAP_TYPE_ARENA in SEC(\".maps\")";
  return error;
}

}  // namespace

Result<void> read_data(Reading& reading) {
  for (const ElfSection& section : reading.elf.sections()) {
    if (section.size == 0 || section.executable) continue;
    if (section.name == kArenaSection) {
      TRY(read_arena(reading, section));
      continue;
    }
    auto origin = data_origin(section);
    if (!origin) continue;
    add_data_map(reading, section, *origin);
    warn_of_pointers(reading, section);
  }
  // The map of kconfig values comes last, as in libbpf: read_externs has laid it out.
  if (auto sec = datasec(reading, ".kconfig"); sec && sec->size() > 0) {
    MapSpec map{.name = ".kconfig", .origin = MapOrigin::kconfig, .section = ".kconfig", .type = facts::MapType::array,
                .key_size = 4, .value_size = sec->size(), .max_entries = 1,
                .flags = kFlagReadOnlyProgram | kFlagMappable, .value_type = sec->id(), .contents = {}};
    map.contents.resize(map.value_size);
    reading.add_map(std::move(map));
  }
  return {};
}

}  // namespace espy::object
