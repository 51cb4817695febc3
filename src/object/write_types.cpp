// An object that came from a file has its BTF, which is written back. One that was assembled has none, and libbpf finds
// maps through BTF only: a map is a variable in the section `.maps` whose struct spells its attributes in types, a number
// N as a pointer to an array of N ints (libbpf's `__uint`). The same goes for kernel symbols (section `.ksyms`) and for
// callbacks, whose address the kernel takes only of functions that func_info describes.
#include "object/write_types.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "btf/builder.hpp"
#include "btf/ext.hpp"

namespace espy::object {

namespace {

constexpr std::uint32_t kPinByName = 1;  // LIBBPF_PIN_BY_NAME
constexpr std::uint32_t kMostSlots = 1U << 20;  // a definition with a slot behind them is refused

class TypeMaker {
 public:
  TypeMaker(const ObjectSpec& object, btf::Builder& builder, WrittenTypes& out)
      : object_(object), builder_(builder), out_(out) {}

  // `.maps` and its variables.
  void maps() {
    std::vector<btf::SectionVar> vars;
    std::uint32_t offset = 0;
    for (const MapSpec& map : object_.maps) {
      if (map.origin != MapOrigin::btf) continue;
      std::uint32_t size = 0;
      btf::TypeId type = define(map, size);
      size += std::exchange(slots_size_, 0);
      vars.push_back({builder_.add_var(map.name, type, btf::Linkage::global), offset, size});
      Definition& definition = out_.definitions[map.name];
      definition.offset = offset;
      definition.size = size;
      offset += size;
    }
    if (!vars.empty()) builder_.add_datasec(".maps", offset, vars);
  }

  // `.ksyms`: variables whose address is asked for, and functions to call.
  void ksyms() {
    std::vector<btf::SectionVar> vars;
    for (const ExternSpec& external : object_.externs) {
      if (std::holds_alternative<KfuncExtern>(external.kind)) {
        vars.push_back({builder_.add_func(external.name, int_proto(), btf::Linkage::extern_), 0, 0});
      } else if (std::holds_alternative<KsymExtern>(external.kind)) {
        btf::TypeId type = builder_.add_ref(btf::Kind::const_, "", btf::kVoid);
        vars.push_back({builder_.add_var(external.name, type, btf::Linkage::extern_), 0, 0});
      }
    }
    if (!vars.empty()) builder_.add_datasec(".ksyms", 0, vars);
  }

  btf::TypeId function(const FunctionSpec& code) { return builder_.add_func(code.name, int_proto(), btf::Linkage::static_); }

 private:
  btf::TypeId int_type() {
    if (!int_) int_ = builder_.add_int("int", 4, {.bits = 32, .offset = 0, .is_signed = true, .is_char = false, .is_bool = false});
    return *int_;
  }
  btf::TypeId int_proto() {
    if (!proto_) proto_ = builder_.add_func_proto(int_type(), {});
    return *proto_;
  }
  btf::TypeId number(std::uint32_t value) {
    return builder_.add_ref(btf::Kind::ptr, "", builder_.add_array(int_type(), int_type(), value));
  }

  // libbpf's `__ulong`: an enum whose only enumerator has the value.
  btf::TypeId long_number(std::uint64_t value) {
    return builder_.add_enum("", 8, false, {{.name = "__value", .value = value}});
  }

  btf::TypeId define(const MapSpec& map, std::uint32_t& size) {
    std::vector<btf::Member> members;
    std::uint32_t offset = 0;
    auto add = [&](std::string_view name, btf::TypeId type) {
      members.push_back({.name = name, .type = type, .bit_offset = offset * 8, .bitfield_size = 0});
      offset += 8;
    };
    auto add_number = [&](std::string_view name, std::uint32_t value) {
      if (value != 0) add(name, number(value));
    };
    add_number("type", std::to_underlying(map.type));
    // With the types known a debugger can print the map; the sizes follow from them.
    if (map.key_type != btf::kVoid) add("key", builder_.add_ref(btf::Kind::ptr, "", map.key_type));
    else add_number("key_size", map.key_size);
    if (map.inner != nullptr) add_number("value_size", 4);
    else if (map.value_type != btf::kVoid) add("value", builder_.add_ref(btf::Kind::ptr, "", map.value_type));
    else add_number("value_size", map.value_size);
    add_number("max_entries", map.max_entries);
    add_number("map_flags", map.flags);
    add_number("numa_node", map.numa_node);
    if (map.map_extra > std::numeric_limits<std::uint32_t>::max()) add("map_extra", long_number(map.map_extra));
    else add_number("map_extra", static_cast<std::uint32_t>(map.map_extra));
    if (map.pinning == Pinning::by_name) add_number("pinning", kPinByName);
    if (map.inner != nullptr || !map.slots.empty()) add_values(map, members, offset);
    size = offset;  // of the type
    return builder_.add_struct(btf::Kind::struct_, "", offset, members);
  }

  // The last member: an array of pointers to inner maps, or to programs.
  void add_values(const MapSpec& map, std::vector<btf::Member>& members, std::uint32_t offset) {
    btf::TypeId element = int_proto();
    if (map.inner != nullptr) {
      std::uint32_t inner_size = 0;
      element = define(*map.inner, inner_size);
    }
    std::uint32_t count = 0;
    for (const SlotValue& slot : map.slots) count = std::max(count, std::min(slot.slot, kMostSlots) + 1);
    // The array has no elements as far as its type goes; the variable is larger than its type by those it has.
    btf::TypeId array = builder_.add_array(builder_.add_ref(btf::Kind::ptr, "", element), int_type(), 0);
    members.push_back({.name = "values", .type = array, .bit_offset = offset * 8, .bitfield_size = 0});
    out_.definitions[map.name].values = offset;
    slots_size_ = count * 8;
  }

  const ObjectSpec& object_;
  btf::Builder& builder_;
  WrittenTypes& out_;
  std::optional<btf::TypeId> int_, proto_;
  std::uint32_t slots_size_ = 0;   // of the map that was defined last: bytes behind its type
};

// Places of the definitions in a section that the object's own BTF lays out.
Result<void> measure(const btf::Btf& types, const btf::Type& section, WrittenTypes& out) {
  for (const btf::SectionVar& variable : section.section_vars()) {
    btf::Type var = TRY(types.find(variable.type));
    Definition definition{.offset = variable.offset, .size = TRY(types.size_of(var.target())), .values = {}};
    for (const btf::Member& member : types.resolve(var.target()).members()) {
      if (member.name == "values") definition.values = member.bit_offset / 8;
    }
    definition.size = std::max(definition.size, variable.size);
    out.definitions[std::string(var.name())] = definition;
  }
  return {};
}

// All maps that stand in a section must be variables of the object's BTF there.
Result<void> measure_all(const ObjectSpec& object, WrittenTypes& out) {
  for (const MapSpec& map : object.maps) {
    if ((map.origin != MapOrigin::btf && map.origin != MapOrigin::struct_ops) || out.definitions.contains(map.name)) continue;
    if (auto section = object.btf->find(map.section, btf::Kind::datasec)) TRY(measure(*object.btf, *section, out));
    if (out.definitions.contains(map.name)) continue;
    return fail(ErrorKind::unsupported, "map `{}` is not defined in the object's BTF, so it cannot be written to a file", map.name);
  }
  return {};
}

bool takes_function_addresses(const std::vector<PlacedFunction>& functions) {
  return std::ranges::any_of(functions, [](const PlacedFunction& placed) {
    return std::ranges::any_of(placed.function->relocations,
                               [](const Relocation& r) { return std::holds_alternative<FunctionRef>(r.to); });
  });
}

// Instruction numbers of .BTF.ext count from the start of the section.
std::vector<btf::ExtSection> ext_sections(const std::vector<PlacedFunction>& functions) {
  std::vector<btf::ExtSection> sections;
  for (const PlacedFunction& placed : functions) {
    const FunctionSpec& code = *placed.function;
    auto found = std::ranges::find(sections, code.section, &btf::ExtSection::name);
    if (found == sections.end()) {
      sections.push_back({});
      found = std::prev(sections.end());
      found->name = code.section;
    }
    auto move = [&](auto& to, auto from) {
      for (auto& record : from) {
        record.insn += placed.first;
        to.push_back(std::move(record));
      }
    };
    move(found->functions, code.func_info);
    move(found->lines, code.line_info);
    move(found->relocations, code.core_relocations);
  }
  std::erase_if(sections, [](const btf::ExtSection& s) { return s.functions.empty() && s.lines.empty() && s.relocations.empty(); });
  return sections;
}

}  // namespace

Result<WrittenTypes> types_to_write(const ObjectSpec& object, const std::vector<PlacedFunction>& functions) {
  WrittenTypes out;
  btf::Builder builder = object.btf != nullptr ? btf::Builder::copy_of(*object.btf) : btf::Builder();
  TypeMaker maker(object, builder, out);
  std::vector<btf::ExtSection> ext = ext_sections(functions);
  if (object.btf != nullptr) {
    if (object.btf->find(".maps", btf::Kind::datasec)) TRY(measure_all(object, out));
    else maker.maps();
  } else {
    maker.maps();
    maker.ksyms();
    if (takes_function_addresses(functions)) {
      std::vector<FunctionSpec> described;
      for (const PlacedFunction& placed : functions) {
        FunctionSpec code;
        code.section = placed.function->section;
        code.func_info = {{.insn = 0, .type = maker.function(*placed.function)}};
        described.push_back(std::move(code));
      }
      std::vector<PlacedFunction> again;
      for (std::size_t i = 0; i < described.size(); ++i) again.push_back({&described[i], functions[i].first});
      ext = ext_sections(again);
    }
  }
  std::vector<std::uint32_t> names;
  for (const btf::ExtSection& section : ext) names.push_back(builder.add_string(section.name));
  if (!ext.empty()) {
    out.ext = btf::encode_ext(ext, names, [&](std::string_view text) { return builder.add_string(text); });
  }
  if (builder.next_id() > 1) out.btf = builder.bytes(Endian::little);
  return out;
}

}  // namespace espy::object
