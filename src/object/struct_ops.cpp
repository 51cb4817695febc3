// struct_ops maps: a variable in .struct_ops (or .struct_ops.link, or either with a leading '?') is a table of functions
// that the kernel calls. Its bytes are data; which program stands in which member, relocations tell.
#include <algorithm>
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

/// The struct member that begins at this byte.
Result<btf::Member> member_at(const btf::Type& type, std::uint64_t offset, const std::string& where) {
  for (const btf::Member& member : type.members())
    if (member.bit_offset == offset * 8 && member.bitfield_size == 0) return member;
  return fail_at(where, "no member of `struct {}` begins at offset {}", type.name(), offset);
}

Result<void> read_map(Reading& reading, const ElfSection& section, const StructOpsSection& kind, const btf::SectionVar& entry) {
  btf::Type var = TRY(reading.btf()->find(entry.type));
  const std::string where = fmt::format("{}: struct_ops {}", reading.elf.where(section, entry.offset), var.name());
  btf::Type type = reading.btf()->resolve(var.target());
  if (var.kind() != btf::Kind::var || type.kind() != btf::Kind::struct_ || type.name().empty())
    return fail_at(where, "not a variable of a named struct type");
  if (std::uint64_t{entry.offset} + type.size() > section.size || section.bytes.empty())
    return fail_at(where, "its {} bytes reach past the section's {}", type.size(), section.size);
  Bytes bytes = section.bytes.subspan(entry.offset, type.size());
  MapSpec map{.name = std::string(var.name()), .origin = MapOrigin::struct_ops, .section = section.name,
              .type = facts::MapType::struct_ops, .key_size = 4, .value_size = type.size(), .max_entries = 1,
              .flags = kind.link ? kFlagLink : 0, .value_type = type.id(), .contents = {bytes.begin(), bytes.end()},
              .autocreate = !kind.optional, .autoattach = !kind.optional};
  const auto& relocations = reading.elf.relocations(section.index);
  auto relocation = std::ranges::lower_bound(relocations, entry.offset, {}, &ElfRelocation::offset);
  for (; relocation != relocations.end() && relocation->offset - entry.offset < type.size(); ++relocation) {
    const std::string at = reading.elf.where(section, relocation->offset);
    const ElfSymbol& symbol = reading.elf.symbols()[relocation->symbol];
    btf::Member member = TRY(member_at(type, relocation->offset - entry.offset, at));
    if (reading.object.find_program(symbol.name) == nullptr)
      return fail_at(at, "member `{}` of `{}` is initialised with `{}`, which is no program", member.name, map.name,
                     reading.elf.name_of(symbol));
    map.struct_ops_members.push_back({.offset = static_cast<std::uint32_t>(relocation->offset - entry.offset),
                                      .member = std::string(member.name), .program = symbol.name});
  }
  reading.add_map(std::move(map));
  return {};
}

}  // namespace

Result<void> read_struct_ops(Reading& reading) {
  for (const StructOpsSection& kind : kSections) {
    const ElfSection* section = reading.elf.find_section(kind.name);
    if (section == nullptr || section->size == 0) continue;
    auto sec = datasec(reading, kind.name);
    if (!sec) return fail_at(reading.elf.where(*section), "the object's BTF does not describe it: compile with -g");
    for (const btf::SectionVar& entry : sec->section_vars()) TRY(read_map(reading, *section, kind, entry));
  }
  return {};
}

}  // namespace espy::object
