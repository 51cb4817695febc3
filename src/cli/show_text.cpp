#include "base/text.hpp"
#include "cli/show.hpp"
#include "espy/btf.hpp"
#include "espy/facts.hpp"
#include "espy/render.hpp"

namespace espy::cli {
namespace {

using render::Align;
using render::Table;

/// A titled table, or nothing where there is nothing to tell.
std::string part(std::string_view title, const Table& table) {
  return table.empty() ? std::string() : fmt::format("\n{}\n{}", title, table.text());
}

std::string sections(const object::ObjectSpec& object) {
  Table table({{"section"}, {"what"}, {"bytes", Align::right}, {"relocations", Align::right}});
  for (const object::SectionInfo& section : object.sections) {
    if (section.what != "code" && section.what != "data" && section.what != "zeroes") continue;
    if (section.bytes == 0 || section.name.starts_with(".debug_")) continue;
    table.add({section.name, std::string(section.what), fmt::to_string(section.bytes),
               section.relocations != 0 ? fmt::to_string(section.relocations) : ""});
  }
  return part("Sections", table);
}

std::string flags_of(const object::ProgramSpec& program) {
  std::vector<std::string_view> flags;
  if (program.flags.sleepable) flags.push_back("sleepable");
  if (program.flags.xdp_frags) flags.push_back("frags");
  if (!program.autoload) flags.push_back("not loaded by default");
  return fmt::format("{}", fmt::join(flags, ", "));
}

std::string programs(const object::ObjectSpec& object) {
  Table table({{"program"}, {"section"}, {"type"}, {"attach type"}, {"insns", Align::right}, {"flags"}});
  for (const object::ProgramSpec& program : object.programs)
    table.add({program.name, program.code.section, facts::to_string(program.type),
               program.attach_type ? facts::to_string(*program.attach_type) : "", fmt::to_string(program.code.insns.size()), flags_of(program)});
  return part("Programs", table);
}

std::string functions(const object::ObjectSpec& object) {
  Table table({{"subprogram"}, {"section"}, {"insns", Align::right}, {"verified"}});
  for (const object::FunctionSpec& function : object.functions)
    table.add({function.name, function.section, fmt::to_string(function.insns.size()), function.is_global ? "on its own" : "with its callers"});
  return part("Subprograms", table);
}

std::string type_of(const object::ObjectSpec& object, btf::TypeId id, std::uint32_t size) {
  if (size == 0) return {};
  if (id == btf::kVoid || object.btf == nullptr || object.btf->type(id).kind() == btf::Kind::datasec) return fmt::format("{} bytes", size);
  return object.btf->type_name(id);
}

std::string notes_of(const object::ObjectSpec& object, const object::MapSpec& map) {
  std::vector<std::string> notes;
  if (map.pinning == object::Pinning::by_name) notes.emplace_back("pinned by name");
  if (map.inner) notes.push_back(fmt::format("of {} maps", facts::to_string(map.inner->type)));
  if (map.map_extra != 0) notes.push_back(fmt::format("extra {:#x}", map.map_extra));
  for (const object::SlotValue& slot : map.slots)
    notes.push_back(fmt::format("[{}] = {}", slot.slot, std::visit(overload{[&](object::MapIdx inner) { return object.map(inner).name; }, [](const std::string& program) { return program; }}, slot.value)));
  for (const object::StructOpsMember& member : map.struct_ops_members) notes.push_back(fmt::format(".{} = {}", member.member, member.program));
  if (!map.autocreate) notes.emplace_back("not created by default");
  return fmt::format("{}", fmt::join(notes, ", "));
}

std::string maps(const object::ObjectSpec& object) {
  Table table({{"map"}, {"type"}, {"key"}, {"value"}, {"entries", Align::right}, {"flags"}, {"notes"}});
  for (const object::MapSpec& map : object.maps)
    table.add({map.name, facts::to_string(map.type), type_of(object, map.key_type, map.key_size), type_of(object, map.value_type, map.value_size),
               fmt::to_string(map.max_entries), map.flags != 0 ? fmt::format("{:#x}", map.flags) : "", notes_of(object, map)});
  return part("Maps", table);
}

std::string variable_table(const object::ObjectSpec& object) {
  Table table({{"variable"}, {"section"}, {"offset", Align::right}, {"bytes", Align::right}});
  for (const object::Variable& variable : object::variables(object))
    table.add({btf::declaration(*object.btf, variable.type, variable.name), object.map(variable.map).name, fmt::to_string(variable.offset), fmt::to_string(variable.size)});
  return part("Variables", table);
}

std::string externs(const object::ObjectSpec& object) {
  Table table({{"extern"}, {"what"}, {"missing"}});
  for (const object::ExternSpec& external : object.externs) {
    const bool declared = object.btf && external.btf_id != btf::kVoid;
    table.add({declared ? btf::declaration(*object.btf, object.btf->type(external.btf_id).target(), external.name) : external.name,
               std::string(kind_name(external)), external.weak ? "is allowed" : ""});
  }
  return part("Externs", table);
}

std::string core_relocations(const object::ObjectSpec& object) {
  Table table({{"function"}, {"insn", Align::right}, {"CO-RE relocation"}});
  auto add = [&](const object::FunctionSpec& function) {
    for (const btf::CoreRelocation& relocation : function.core_relocations)
      table.add({function.name, fmt::to_string(relocation.insn), btf::describe(relocation, *object.btf)});
  };
  for (const object::ProgramSpec& program : object.programs) add(program.code);
  for (const object::FunctionSpec& function : object.functions)
    if (object.find_program(function.name) == nullptr) add(function);
  return part("CO-RE relocations", table);
}

std::string type_counts(const object::ObjectSpec& object) {
  if (object.btf == nullptr) return "no BTF: compile with -g";
  std::map<btf::Kind, std::size_t> counts;
  for (std::uint32_t id = object.btf->start_id(); id < object.btf->type_count(); ++id) ++counts[object.btf->type(btf::TypeId{id}).kind()];
  std::vector<std::string> words;
  for (auto kind : {btf::Kind::struct_, btf::Kind::union_, btf::Kind::enum_, btf::Kind::enum64, btf::Kind::typedef_, btf::Kind::func})
    if (counts[kind] != 0) words.push_back(fmt::format("{} {}", counts[kind], btf::to_string(kind)));
  return fmt::format("{} types ({})", object.btf->type_count() - object.btf->start_id(), fmt::join(words, ", "));
}

}  // namespace

std::string object_as_text(const object::ObjectSpec& object, bool types) {
  std::string text = fmt::format("{}: {}-endian eBPF, licence {}, {}\n", object.path, object.endian == Endian::little ? "little" : "big",
                                 object.license.empty() ? "none" : fmt::format("\"{}\"", object.license), type_counts(object));
  text += sections(object) + programs(object) + functions(object) + maps(object) + variable_table(object) + externs(object) + core_relocations(object);
  if (types && object.btf != nullptr) text += "\nTypes\n" + btf::header(*object.btf);
  if (!object.warnings.empty()) text += "\nWarnings\n";
  for (const object::Warning& warning : object.warnings) {
    text += fmt::format("{}: {}\n", warning.where, warning.message);
    if (!warning.hint.empty()) text += fmt::format("  hint: {}\n", warning.hint);
  }
  return text;
}

}  // namespace espy::cli
