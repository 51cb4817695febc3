// DWARF describes types as a graph of entries, BTF as a numbered list. A type gets its number when something first refers
// to it, and is described when its turn comes: types that refer to each other need no recursion, and the work is bounded by
// the number of types.
#include "symbol/dwarf_types.hpp"

#include <algorithm>
#include <unordered_map>

#include "btf/builder.hpp"

namespace espy::symbol {

namespace {

using btf::Kind;
using btf::TypeId;

constexpr std::size_t kTypesLimit = 100'000;
constexpr std::size_t kMembersLimit = 65535;      // of BTF
constexpr std::uint64_t kBitFieldReach = 1 << 24; // a struct with bit-fields has offsets of 24 bits

// One type to be written.
struct Node {
  Kind kind = Kind::void_;
  std::string name;
  std::uint32_t bytes = 0;
  TypeId target = btf::kVoid;
  btf::IntInfo integer;
  std::uint32_t count = 0;              // of an array
  bool flag = false;                    // a signed enum, a fwd of a union
  std::vector<std::string> names;       // of members, enumerators, parameters
  std::vector<btf::Member> members;     // without their names
  std::vector<std::uint64_t> values;    // of enumerators
  std::vector<TypeId> parameters;
};

struct Encoding {
  bool is_signed = false, is_char = false, is_bool = false, is_float = false;
};

Encoding encoding_of(Dwarf_Die& base) {
  switch (die::number(base, DW_AT_encoding).value_or(DW_ATE_unsigned)) {
    case DW_ATE_signed: return {.is_signed = true};
    case DW_ATE_signed_char: return {.is_signed = true, .is_char = true};
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF: return {.is_char = true};
    case DW_ATE_boolean: return {.is_bool = true};
    case DW_ATE_float: return {.is_float = true};
    default: return {};
  }
}

class TypeWriter {
 public:
  Result<FunctionTypes> write(Dwarf_Die& function, std::string_view origin) {
    index_type();
    TypeId proto = add({});
    describe_function(function, proto);
    for (std::size_t next = 0; next < waiting_.size(); ++next) {
      auto [id, type] = waiting_[next];
      describe(type, id);
    }
    btf::Builder builder;
    for (const Node& node : nodes_) emit(builder, node);
    return FunctionTypes{.btf = TRY(builder.build(std::string(origin))), .proto = proto};
  }

 private:
  TypeId add(Node node) {
    nodes_.push_back(std::move(node));
    return TypeId{static_cast<std::uint32_t>(nodes_.size())};
  }
  Node& node(TypeId id) { return nodes_[static_cast<std::uint32_t>(id) - 1]; }
  TypeId index_type() {
    if (index_ == btf::kVoid) index_ = add({.kind = Kind::int_, .name = "unsigned int", .bytes = 4, .integer = {.bits = 32}});
    return index_;
  }

  // The number of a type, which is described later.
  TypeId id_of(std::optional<Dwarf_Die> type) {
    if (!type) return btf::kVoid;
    auto [known, is_new] = ids_.try_emplace(type->addr, btf::kVoid);
    if (!is_new || nodes_.size() >= kTypesLimit) return known->second;
    known->second = add({});
    waiting_.emplace_back(known->second, *type);
    return known->second;
  }

  void describe(Dwarf_Die& type, TypeId id);
  void describe_base(Dwarf_Die& type, TypeId id);
  void describe_record(Dwarf_Die& type, TypeId id, Kind kind);
  void describe_enum(Dwarf_Die& type, TypeId id);
  void describe_array(Dwarf_Die& type, TypeId id);
  void describe_function(Dwarf_Die& function, TypeId id);
  void add_members(Dwarf_Die& parent, Node& record, int depth);
  void add_member(Dwarf_Die& member, Node& record);
  void refer(Dwarf_Die& type, TypeId id, Kind kind, std::string_view name = {}) {
    TypeId target = id_of(die::type(type));
    node(id) = {.kind = kind, .name = std::string(name), .target = target};
  }
  // What BTF has no word for: so many bytes.
  void opaque(Dwarf_Die& type, TypeId id, std::uint32_t otherwise) {
    auto bytes = die::number(type, DW_AT_byte_size).value_or(otherwise);
    node(id) = {.kind = Kind::struct_, .name = std::string(die::name(type)), .bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, UINT32_MAX))};
  }
  static void emit(btf::Builder& builder, const Node& node);

  std::vector<Node> nodes_;
  std::unordered_map<void*, TypeId> ids_;       // by the entry's place in memory
  std::vector<std::pair<TypeId, Dwarf_Die>> waiting_;
  TypeId index_ = btf::kVoid;
};

void TypeWriter::describe(Dwarf_Die& type, TypeId id) {
  const bool is_declared = die::flag(type, DW_AT_declaration);
  switch (dwarf_tag(&type)) {
    case DW_TAG_base_type: return describe_base(type, id);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type: return refer(type, id, Kind::ptr);
    case DW_TAG_const_type: return refer(type, id, Kind::const_);
    case DW_TAG_atomic_type:
    case DW_TAG_volatile_type: return refer(type, id, Kind::volatile_);
    case DW_TAG_restrict_type: return refer(type, id, Kind::restrict_);
    case DW_TAG_typedef:
    case DW_TAG_template_alias: return refer(type, id, Kind::typedef_, die::name(type));
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_interface_type:
    case DW_TAG_union_type: {
      const bool is_union = dwarf_tag(&type) == DW_TAG_union_type;
      if (!is_declared) return describe_record(type, id, is_union ? Kind::union_ : Kind::struct_);
      node(id) = {.kind = Kind::fwd, .name = std::string(die::name(type)), .flag = is_union};
      return;
    }
    case DW_TAG_enumeration_type: return describe_enum(type, id);
    case DW_TAG_array_type: return describe_array(type, id);
    case DW_TAG_subroutine_type: return describe_function(type, id);
    case DW_TAG_ptr_to_member_type: {
      auto target = die::type(type);   // a method's is two words
      return opaque(type, id, target && dwarf_tag(&*target) == DW_TAG_subroutine_type ? 16 : 8);
    }
    default: return opaque(type, id, 0);
  }
}

void TypeWriter::describe_base(Dwarf_Die& type, TypeId id) {
  const Encoding encoding = encoding_of(type);
  const auto bytes = die::number(type, DW_AT_byte_size).value_or(0);
  const bool fits_int = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
  const bool fits_float = fits_int ? bytes != 1 : bytes == 12;
  if (encoding.is_float ? !fits_float : !fits_int) return opaque(type, id, 0);
  node(id) = {.kind = encoding.is_float ? Kind::float_ : Kind::int_,
              .name = std::string(die::name(type)),
              .bytes = static_cast<std::uint32_t>(bytes),
              .integer = {.bits = static_cast<std::uint8_t>(bytes * 8), .is_signed = encoding.is_signed, .is_char = encoding.is_char, .is_bool = encoding.is_bool}};
}

// Where a member lies, in bits. DWARF 3's bit-fields count from the most significant bit of their storage.
std::optional<std::uint64_t> bit_offset_of(Dwarf_Die& member, std::uint64_t bits) {
  if (auto offset = die::number(member, DW_AT_data_bit_offset)) return *offset;
  std::uint64_t bytes = 0;
  Dwarf_Attribute attr;
  if (dwarf_attr_integrate(&member, DW_AT_data_member_location, &attr) != nullptr) {
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    Dwarf_Word constant = 0;
    if (dwarf_formudata(&attr, &constant) == 0) bytes = constant;
    else if (dwarf_getlocation(&attr, &ops, &count) == 0 && count == 1 && ops[0].atom == DW_OP_plus_uconst) bytes = ops[0].number;
    else return std::nullopt;   // computed: a virtual base
  }
  if (bytes > UINT32_MAX) return std::nullopt;
  auto from_top = die::number(member, DW_AT_bit_offset);
  if (!from_top || bits == 0) return bytes * 8;
  auto type = die::type(member);
  const std::uint64_t storage = die::number(member, DW_AT_byte_size).value_or(type ? die::number(*type, DW_AT_byte_size).value_or(4) : 4) * 8;
  if (storage > 128 || *from_top + bits > storage) return std::nullopt;
  return bytes * 8 + storage - *from_top - bits;
}

void TypeWriter::add_member(Dwarf_Die& member, Node& record) {
  const bool is_base = dwarf_tag(&member) == DW_TAG_inheritance;
  // A static member has no place in the object.
  if (die::flag(member, DW_AT_external) || die::flag(member, DW_AT_declaration) || record.members.size() >= kMembersLimit) return;
  const std::uint64_t bits = die::number(member, DW_AT_bit_size).value_or(0);
  auto offset = bit_offset_of(member, bits);
  if (!offset || *offset > UINT32_MAX || bits > 128) return;
  record.names.emplace_back(is_base ? std::string_view{} : die::name(member));
  record.members.push_back({.type = id_of(die::type(member)), .bit_offset = static_cast<std::uint32_t>(*offset), .bitfield_size = static_cast<std::uint32_t>(bits)});
}

// Rust's enums hold their members in variants of a part; they overlap.
void TypeWriter::add_members(Dwarf_Die& parent, Node& record, int depth) {
  die::for_each_child(parent, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_member || tag == DW_TAG_inheritance) add_member(child, record);
    else if ((tag == DW_TAG_variant_part || tag == DW_TAG_variant) && depth < 8) add_members(child, record, depth + 1);
    return true;
  });
}

void TypeWriter::describe_record(Dwarf_Die& type, TypeId id, Kind kind) {
  const auto bytes = die::number(type, DW_AT_byte_size).value_or(0);
  Node record{.kind = kind, .name = std::string(die::name(type)), .bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, UINT32_MAX))};
  add_members(type, record, 0);
  const bool has_bit_fields = std::ranges::any_of(record.members, [](const btf::Member& m) { return m.bitfield_size != 0; });
  if (has_bit_fields) {   // what lies out of reach is left out, names with members
    std::vector<std::string> names;
    std::vector<btf::Member> members;
    for (std::size_t i = 0; i < record.members.size(); ++i)
      if (record.members[i].bit_offset < kBitFieldReach) names.push_back(std::move(record.names[i])), members.push_back(record.members[i]);
    record.names = std::move(names), record.members = std::move(members);
  }
  node(id) = std::move(record);
}

void TypeWriter::describe_enum(Dwarf_Die& type, TypeId id) {
  Node node_of_enum{.kind = Kind::enum_, .name = std::string(die::name(type))};
  const auto bytes = die::number(type, DW_AT_byte_size).value_or(4);
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return opaque(type, id, 4);
  node_of_enum.bytes = static_cast<std::uint32_t>(bytes);
  if (die::flag(type, DW_AT_declaration)) return node(id) = std::move(node_of_enum), void();
  auto underlying = die::type(type);
  const bool told = underlying.has_value();
  node_of_enum.flag = told && encoding_of(*underlying).is_signed;
  die::for_each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_enumerator) return true;
    const std::int64_t value = die::signed_number(child, DW_AT_const_value).value_or(0);
    if (!told && value < 0) node_of_enum.flag = true;
    node_of_enum.names.emplace_back(die::name(child));
    node_of_enum.values.push_back(static_cast<std::uint64_t>(value));
    return node_of_enum.values.size() < kMembersLimit;
  });
  // A negative value may be written as so many unsigned bytes.
  if (node_of_enum.flag && bytes < 8)
    for (std::uint64_t& value : node_of_enum.values)
      if (value >> (bytes * 8) == 0 && value >> (bytes * 8 - 1) == 1) value |= ~std::uint64_t{0} << (bytes * 8);
  node(id) = std::move(node_of_enum);
}

void TypeWriter::describe_array(Dwarf_Die& type, TypeId id) {
  std::vector<std::uint32_t> counts = die::dimensions(type);
  TypeId element = id_of(die::type(type));
  while (counts.size() > 1) {
    element = add({.kind = Kind::array, .target = element, .count = counts.back()});
    counts.pop_back();
  }
  node(id) = {.kind = Kind::array, .target = element, .count = counts.front()};
}

void TypeWriter::describe_function(Dwarf_Die& function, TypeId id) {
  Node proto{.kind = Kind::func_proto, .target = id_of(die::type(function))};
  for (Dwarf_Die& parameter : die::parameters(function)) {
    const bool rest = dwarf_tag(&parameter) == DW_TAG_unspecified_parameters;
    proto.names.emplace_back(rest ? std::string_view{} : die::name(parameter));
    proto.parameters.push_back(rest ? btf::kVoid : id_of(die::type(parameter)));
    if (rest) break;
  }
  node(id) = std::move(proto);
}

void TypeWriter::emit(btf::Builder& builder, const Node& node) {
  switch (node.kind) {
    case Kind::int_: builder.add_int(node.name, node.bytes, node.integer); return;
    case Kind::float_: builder.add_float(node.name, node.bytes); return;
    case Kind::array: builder.add_array(node.target, TypeId{1}, node.count); return;
    case Kind::fwd: builder.add_fwd(node.name, node.flag); return;
    case Kind::struct_:
    case Kind::union_: {
      std::vector<btf::Member> members = node.members;
      for (std::size_t i = 0; i < members.size(); ++i) members[i].name = node.names[i];
      builder.add_struct(node.kind, node.name, node.bytes, members);
      return;
    }
    case Kind::enum_: {
      std::vector<btf::Enumerator> values;
      for (std::size_t i = 0; i < node.values.size(); ++i) values.push_back({node.names[i], node.values[i]});
      builder.add_enum(node.name, node.bytes, node.flag, values);
      return;
    }
    case Kind::func_proto: {
      std::vector<btf::Param> params;
      for (std::size_t i = 0; i < node.parameters.size(); ++i) params.push_back({node.names[i], node.parameters[i]});
      builder.add_func_proto(node.target, params);
      return;
    }
    default: builder.add_ref(node.kind == Kind::void_ ? Kind::const_ : node.kind, node.name, node.target); return;
  }
}

}  // namespace

Result<FunctionTypes> types_of_function(Dwarf_Die& function, std::string_view origin) { return TypeWriter().write(function, origin); }

}  // namespace espy::symbol
