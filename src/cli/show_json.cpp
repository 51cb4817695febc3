#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/show.hpp"
#include "espy/btf.hpp"
#include "espy/facts.hpp"

namespace espy::cli {
namespace {

/// "key":"text" if there is any text.
void text(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) json.key(key).string(value);
}

void type(JsonWriter& json, std::string_view key, const object::ObjectSpec& object, btf::TypeId id) {
  if (id != btf::kVoid && object.btf != nullptr && object.btf->type(id).kind() != btf::Kind::datasec) json.key(key).string(object.btf->type_name(id));
}

void sections(JsonWriter& json, const object::ObjectSpec& object) {
  json.key("sections").begin_array();
  for (const object::SectionInfo& section : object.sections)
    json.begin_object().key("name").string(section.name).key("what").string(section.what).key("bytes").number(section.bytes).key("relocations").number(section.relocations).end_object();
  json.end_array();
}

void core_relocations(JsonWriter& json, const object::ObjectSpec& object, const object::FunctionSpec& function) {
  json.key("core_relocations").begin_array();
  for (const btf::CoreRelocation& relocation : function.core_relocations)
    json.begin_object().key("insn").number(relocation.insn).key("kind").string(btf::to_string(relocation.kind)).key("text").string(btf::describe(relocation, *object.btf)).end_object();
  json.end_array();
}

void programs(JsonWriter& json, const object::ObjectSpec& object) {
  json.key("programs").begin_array();
  for (const object::ProgramSpec& program : object.programs) {
    json.begin_object().key("name").string(program.name).key("section").string(program.code.section).key("type").string(facts::to_string(program.type));
    if (program.attach_type) json.key("attach_type").string(facts::to_string(*program.attach_type));
    text(json, "attach_target", program.attach_target);
    json.key("insns").number(std::uint64_t{program.code.insns.size()}).key("sleepable").boolean(program.flags.sleepable);
    json.key("frags").boolean(program.flags.xdp_frags).key("autoload").boolean(program.autoload).key("autoattach").boolean(program.autoattach);
    core_relocations(json, object, program.code);
    json.end_object();
  }
  json.end_array().key("subprograms").begin_array();
  for (const object::FunctionSpec& function : object.functions) {
    json.begin_object().key("name").string(function.name).key("section").string(function.section).key("insns").number(std::uint64_t{function.insns.size()});
    json.key("global").boolean(function.is_global);
    core_relocations(json, object, function);
    json.end_object();
  }
  json.end_array();
}

void map(JsonWriter& json, const object::ObjectSpec& object, const object::MapSpec& map) {
  json.begin_object().key("name").string(map.name).key("type").string(facts::to_string(map.type));
  json.key("key_size").number(map.key_size).key("value_size").number(map.value_size).key("max_entries").number(map.max_entries).key("flags").number(map.flags);
  type(json, "key", object, map.key_type);
  type(json, "value", object, map.value_type);
  if (map.map_extra != 0) json.key("map_extra").number(map.map_extra);
  if (map.pinning == object::Pinning::by_name) json.key("pinning").string("by_name");
  json.key("autocreate").boolean(map.autocreate);
  if (map.inner) {
    json.key("inner");
    espy::cli::map(json, object, *map.inner);
  }
  if (!map.slots.empty()) {
    json.key("slots").begin_array();
    for (const object::SlotValue& slot : map.slots) {
      json.begin_object().key("slot").number(slot.slot);
      if (const auto* inner = std::get_if<object::MapIdx>(&slot.value)) json.key("map").string(object.map(*inner).name);
      else json.key("prog").string(std::get<std::string>(slot.value));
      json.end_object();
    }
    json.end_array();
  }
  if (!map.struct_ops_members.empty()) {
    json.key("members").begin_object();
    for (const object::StructOpsMember& member : map.struct_ops_members) json.key(member.member).string(member.program);
    json.end_object();
  }
  json.end_object();
}

void variables(JsonWriter& json, const object::ObjectSpec& object) {
  json.key("variables").begin_array();
  for (const object::Variable& variable : object::variables(object)) {
    json.begin_object().key("name").string(variable.name).key("map").string(object.map(variable.map).name);
    type(json, "type", object, variable.type);
    json.key("offset").number(variable.offset).key("size").number(variable.size).end_object();
  }
  json.end_array();
}

void externs(JsonWriter& json, const object::ObjectSpec& object) {
  json.key("externs").begin_array();
  for (const object::ExternSpec& external : object.externs) {
    json.begin_object().key("name").string(external.name).key("kind");
    json.string(kind_name(external));
    type(json, "type", object, object.btf->type(external.btf_id).target());
    json.key("weak").boolean(external.weak).end_object();
  }
  json.end_array();
}

}  // namespace

std::string object_as_json(const object::ObjectSpec& object) {
  JsonWriter json;
  json.begin_object().key("type").string("object").key("path").string(object.path).key("name").string(object.name);
  json.key("endian").string(object.endian == Endian::little ? "little" : "big").key("license").string(object.license);
  json.key("types").number(object.btf != nullptr ? object.btf->type_count() - object.btf->start_id() : 0U);
  sections(json, object);
  programs(json, object);
  json.key("maps").begin_array();
  for (const object::MapSpec& each : object.maps) map(json, object, each);
  json.end_array();
  variables(json, object);
  externs(json, object);
  json.key("warnings").begin_array();
  for (const object::Warning& warning : object.warnings) {
    json.begin_object().key("where").string(warning.where).key("message").string(warning.message);
    text(json, "hint", warning.hint);
    json.end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace espy::cli
