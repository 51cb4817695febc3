// struct_ops maps: a variable in .struct_ops (or .struct_ops.link, or either with a leading '?') is a table of functions
// that the kernel calls. Its bytes are data; which program stands in which member, relocations tell.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "object/reading.hpp"

namespace espy::object {
namespace {

constexpr std::uint32_t kFlagLink = 1U << 13;  // BPF_F_LINK

struct StructOpsSection {
  std::string_view name;
  bool link = false, optional = false;
};
constexpr StructOpsSection kSections[] = {
    {".struct_ops", false, false}, {".struct_ops.link", true, false}, {"?.struct_ops", false, true}, {"?.struct_ops.link", true, true}};

/// Reads the maps of all sections; keeps what several of them ask for.
class StructOpsReader {
 public:
  explicit StructOpsReader(Reading& reading) : reading_(reading), programs_(reading.program_names()) {}

  Result<void> read(const ElfSection& section, const StructOpsSection& kind, const btf::Type& datasec) {
    std::uint64_t end = 0;
    for (const btf::SectionVar& entry : datasec.section_vars()) {
      auto map = TRY(define(section, kind, entry, end));
      end = std::uint64_t{entry.offset} + map.value_size;
      TRY(read_members(section, entry, map));
      reading_.add_map(std::move(map));
    }
    return {};
  }

 private:
  using Members = std::unordered_map<std::uint64_t, btf::Member>;   // by the byte where they begin

  /// The map of one variable, which may not begin before `end`, where the one before it ends.
  Result<MapSpec> define(const ElfSection& section, const StructOpsSection& kind, const btf::SectionVar& entry, std::uint64_t end) const {
    btf::Type var = TRY(reading_.btf()->find(entry.type));
    const std::string where = fmt::format("{}: struct_ops {}", reading_.elf.where(section, entry.offset), var.name());
    btf::Type type = reading_.btf()->resolve(var.target());
    if (var.kind() != btf::Kind::var || type.kind() != btf::Kind::struct_ || type.name().empty())
      return fail_at(where, "not a variable of a named struct type");
    if (std::uint64_t{entry.offset} + type.size() > section.size || section.bytes.empty())
      return fail_at(where, "its {} bytes reach past the section's {}", type.size(), section.size);
    if (entry.offset < end) return fail_at(where, "it begins inside the variable before it, which ends at {:#x}", end);
    Bytes bytes = section.bytes.subspan(entry.offset, type.size());
    return MapSpec{.name = std::string(var.name()), .origin = MapOrigin::struct_ops, .section = section.name,
                   .type = facts::MapType::struct_ops, .key_size = 4, .value_size = type.size(), .max_entries = 1,
                   .flags = kind.link ? kFlagLink : 0, .value_type = type.id(), .contents = {bytes.begin(), bytes.end()},
                   .autocreate = !kind.optional, .autoattach = !kind.optional};
  }

  Result<void> read_members(const ElfSection& section, const btf::SectionVar& entry, MapSpec& map) {
    const auto& relocations = reading_.elf.relocations(section.index);
    auto relocation = std::ranges::lower_bound(relocations, entry.offset, {}, &ElfRelocation::offset);
    for (; relocation != relocations.end() && relocation->offset - entry.offset < map.value_size; ++relocation) {
      const std::string at = reading_.elf.where(section, relocation->offset);
      const ElfSymbol& symbol = reading_.elf.symbols()[relocation->symbol];
      const btf::Member member = TRY(member_at(reading_.btf()->type(map.value_type), relocation->offset - entry.offset, at));
      if (!programs_.contains(symbol.name))
        return fail_at(at, "member `{}` of `{}` is initialised with `{}`, which is no program", member.name, map.name, reading_.elf.name_of(symbol));
      map.struct_ops_members.push_back({.offset = static_cast<std::uint32_t>(relocation->offset - entry.offset),
                                        .member = std::string(member.name), .program = symbol.name});
    }
    return {};
  }

  /// The struct member that begins at this byte.
  Result<btf::Member> member_at(const btf::Type& type, std::uint64_t offset, const std::string& where) {
    auto [members, added] = members_.try_emplace(static_cast<std::uint32_t>(type.id()));
    if (added)
      for (const btf::Member& member : type.members())
        if (member.bit_offset % 8 == 0 && member.bitfield_size == 0) members->second.emplace(member.bit_offset / 8, member);
    auto found = members->second.find(offset);
    if (found == members->second.end()) return fail_at(where, "no member of `struct {}` begins at offset {}", type.name(), offset);
    return found->second;
  }

  Reading& reading_;
  std::unordered_set<std::string_view> programs_;
  std::unordered_map<std::uint32_t, Members> members_;   // by the struct's id
};

}  // namespace

Result<void> read_struct_ops(Reading& reading) {
  StructOpsReader reader(reading);
  for (const StructOpsSection& kind : kSections) {
    const ElfSection* section = reading.elf.find_section(kind.name);
    if (section == nullptr || section->size == 0) continue;
    auto sec = datasec(reading, kind.name);
    if (!sec) return fail_at(reading.elf.where(*section), "the object's BTF does not describe it: compile with -g");
    TRY(reader.read(*section, kind, *sec));
  }
  return {};
}

}  // namespace espy::object
