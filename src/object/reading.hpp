// What the parts of the object reader share while one file is read. Internal to src/object.
//
// Order matters, and `read` keeps it: BTF first (it names what the other sections hold), then everything that has an
// address a relocation may refer to (maps, data, externs), then code, whose relocations are looked up in those, and last
// what refers to programs (prog arrays, struct_ops).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "btf/ext.hpp"
#include "object/elf_file.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// Where a map's definition stands, for relocations to find it: ELF section and offset.
using MapPlace = std::pair<std::uint32_t, std::uint64_t>;

/// A hostile file may deserve any number of warnings; nobody reads more than these.
inline constexpr std::size_t kMostWarnings = 1000;

struct Reading {
  const ElfFile& elf;
  ObjectSpec object;
  std::vector<btf::ExtSection> ext;                       ///< .BTF.ext
  std::unordered_map<std::string_view, btf::TypeId> datasecs;   ///< the first of each name; names are the BTF's
  std::map<MapPlace, MapIdx> map_places;
  std::unordered_map<std::uint32_t, MapIdx> prog_arrays;  ///< by the id that iproute2's `struct bpf_elf_map` gives them
  std::vector<std::optional<MapIdx>> data_maps;           ///< by ELF section: the map whose value is the section
  std::vector<std::optional<ExternIdx>> externs;          ///< by symbol

  explicit Reading(const ElfFile& file)
      : elf(file), data_maps(file.sections().size()), externs(file.symbols().size()) {}

  const btf::Btf* btf() const { return object.btf.get(); }
  void warn(std::string where, std::string message, std::string hint) {
    if (object.warnings.size() < kMostWarnings) object.warnings.push_back({std::move(where), std::move(message), std::move(hint)});
  }
  MapIdx add_map(MapSpec map) {
    object.maps.push_back(std::move(map));
    return static_cast<MapIdx>(object.maps.size() - 1);
  }
  /// Names of all programs, once these are read; views of the object.
  std::unordered_set<std::string_view> program_names() const {
    std::unordered_set<std::string_view> names;
    for (const ProgramSpec& program : object.programs) names.insert(program.name);
    return names;
  }
};

/// .BTF and .BTF.ext; section sizes and variable offsets, which compilers leave zero, are filled in.
Result<void> read_btf(Reading& reading);
/// The datasec of this name in the object's BTF.
std::optional<btf::Type> datasec(const Reading& reading, std::string_view section);
/// Replaces a datasec's size and variables (the same ones, moved) in the object's BTF.
Result<void> lay_out_datasec(Reading& reading, btf::TypeId id, std::uint32_t size, const std::vector<btf::SectionVar>& vars);

Result<void> read_btf_maps(Reading& reading);
Result<void> read_legacy_maps(Reading& reading);
Result<void> read_data(Reading& reading);
Result<void> read_externs(Reading& reading);
Result<void> read_programs(Reading& reading);
/// Initial references of maps to maps and programs, from relocations of .maps.
Result<void> read_slots(Reading& reading);
Result<void> read_struct_ops(Reading& reading);

/// Appends an initial reference. (gcc 12 warns of a SlotValue that is moved in whole, wrongly.)
inline void add_slot(MapSpec& map, std::uint32_t slot, std::variant<MapIdx, std::string> value) {
  SlotValue& added = map.slots.emplace_back();
  added.slot = slot;
  added.value = std::move(value);
}

/// How much of a section is a function.
struct CodeExtent {
  std::string name = {};
  std::uint32_t section = 0;
  std::uint32_t start = 0, count = 0;   ///< in instructions
  Binding binding = Binding::global;
  bool hidden = false;
};
/// The functions of an executable section, by symbols where it has them; sorted, not overlapping.
Result<std::vector<CodeExtent>> functions_of(Reading& reading, const ElfSection& section);

}  // namespace espy::object
