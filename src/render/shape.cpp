#include "render/shape.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace espy::render {

namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxFields = 1U << 16;       // of a whole Shape
constexpr std::uint64_t kMaxSection = 1U << 31;    // bytes of a data section
// BTF as large as a kernel's is not searched for field tags: those are a program's.
constexpr std::uint32_t kMaxTypesForTags = 50'000;

using Tags = std::map<std::pair<btf::TypeId, std::int32_t>, std::vector<std::string_view>>;

// Field tags by the struct (or typedef) and component that they stand on.
Tags collect_tags(const btf::Btf& btf) {
  Tags tags;
  if (btf.type_count() - btf.start_id() > kMaxTypesForTags) return tags;
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
    btf::Type type = btf.type(btf::TypeId{id});
    if (type.kind() == btf::Kind::decl_tag) tags[{type.target(), type.component_index()}].push_back(type.name());
  }
  return tags;
}

// A flags enum: single bits only (and perhaps zero), reaching at least to 4, so that counting enums are not taken for one.
bool looks_like_flags(const std::vector<EnumName>& names) {
  std::uint64_t all = 0;
  for (const EnumName& name : names) {
    if (name.value != 0 && !std::has_single_bit(name.value)) return false;
    all |= name.value;
  }
  return all >= 4 && std::popcount(all) >= 3;
}

}  // namespace

struct Shape::Compiler {
  Shape& shape;
  const btf::Btf& btf;
  Tags tags;
  std::map<btf::TypeId, NodeIdx> done;
  std::set<btf::TypeId> open;   // on the way from the root: a struct within itself is malformed
  std::size_t fields = 0;

  NodeIdx add(ShapeNode node) {
    shape.nodes_.push_back(std::move(node));
    return NodeIdx(shape.nodes_.size() - 1);
  }

  NodeIdx compile(btf::TypeId id, std::string_view field_name, int depth) {
    if (!btf.contains(id) || depth > kMaxDepth) return add({});
    btf::Type type = btf.resolve(id);
    btf::Kind kind = type.kind();
    if (kind == btf::Kind::array) return array(type, field_name, depth);  // its elements' meaning depends on the name
    if (auto found = done.find(type.id()); found != done.end()) return found->second;
    NodeIdx index;
    if (kind == btf::Kind::struct_ || kind == btf::Kind::union_ || kind == btf::Kind::datasec) {
      if (!open.insert(type.id()).second) return add({});
      index = record(type, depth);
      open.erase(type.id());
    } else if (kind == btf::Kind::var) {
      index = compile(type.target(), type.name(), depth + 1);
    } else {
      index = add(leaf(type));
    }
    done.emplace(type.id(), index);
    return index;
  }

  ShapeNode leaf(const btf::Type& type) const {
    ShapeNode node;
    switch (type.kind()) {
      case btf::Kind::int_: {
        btf::IntInfo info = type.int_info();
        node = {.kind = ShapeKind::integer, .size = type.size(), .is_signed = info.is_signed};
        if (info.is_bool) node.kind = ShapeKind::boolean;
        else if (type.size() == 1 && (info.is_char || type.name() == "char")) node.kind = ShapeKind::character;
        if (info.offset != 0 || info.bits < type.size() * 8) node.bit_start = info.offset, node.bit_width = info.bits;
        if (node.size > 16) node.kind = ShapeKind::opaque;
        break;
      }
      case btf::Kind::float_: node = {.kind = ShapeKind::real, .size = type.size()}; break;
      case btf::Kind::ptr: node = {.kind = ShapeKind::pointer, .size = btf.pointer_size()}; break;
      case btf::Kind::enum_:
      case btf::Kind::enum64:
        node = {.kind = ShapeKind::enumeration, .size = type.size(), .is_signed = type.is_signed()};
        if (node.size > 8) node.kind = ShapeKind::opaque;
        for (const btf::Enumerator& e : type.enumerators()) node.names.push_back({e.value, std::string(e.name)});
        node.is_flags = looks_like_flags(node.names);
        break;
      default: node.size = type.size(); break;
    }
    return node;
  }

  NodeIdx array(const btf::Type& type, std::string_view field_name, int depth) {
    btf::ArrayInfo info = type.array();
    ShapeNode node{.kind = ShapeKind::array, .count = info.count};
    if (auto size = btf.size_of(type.id())) node.size = *size;
    node.element = compile(info.element, field_name, depth + 1);
    node.element_meaning = meaning_of(btf, info.element, field_name);
    return add(std::move(node));
  }

  NodeIdx record(const btf::Type& type, int depth) {
    ShapeNode node{.kind = type.kind() == btf::Kind::union_ ? ShapeKind::union_ : ShapeKind::record, .size = type.size()};
    if (type.kind() == btf::Kind::datasec) section(type, node, depth);
    else members(type, node, 0, depth);
    if (node.kind == ShapeKind::record && !node.fields.empty()) node.fields.back().last = true;
    return add(std::move(node));
  }

  void section(const btf::Type& type, ShapeNode& node, int depth) {
    for (const btf::SectionVar& entry : type.section_vars()) {
      if (!btf.contains(entry.type)) continue;
      btf::Type var = btf.type(entry.type);
      if (var.kind() != btf::Kind::var) continue;
      variable(node, {std::string(var.name()), entry.type, entry.offset, entry.size}, depth);
    }
  }

  // `entry.type` is a var, whose tags count, or the type itself.
  void variable(ShapeNode& node, const Variable& entry, int depth) {
    if (++fields > kMaxFields || !btf.contains(entry.type)) return;
    btf::Type type = btf.type(entry.type);
    btf::TypeId value = type.kind() == btf::Kind::var ? type.target() : entry.type;
    auto tagged = tags.find({entry.type, -1});
    std::span<const std::string_view> words;
    if (tagged != tags.end()) words = tagged->second;
    std::uint64_t end = std::uint64_t{entry.offset} + entry.size;
    if (end > kMaxSection) return;
    node.size = std::max(node.size, static_cast<std::uint32_t>(end));
    node.fields.push_back({.name = entry.name,
                           .node = compile(value, entry.name, depth + 1),
                           .meaning = meaning_of(btf, value, entry.name, words),
                           .bit_offset = std::uint64_t{entry.offset} * 8});
  }

  // The members of `type`, which begins `base` bits into the record; those of anonymous members are its own.
  void members(const btf::Type& type, ShapeNode& node, std::uint64_t base, int depth) {
    for (std::uint32_t i = 0; i < type.vlen(); ++i) {
      if (++fields > kMaxFields) return;
      btf::Member member = type.member(i);
      if (!btf.contains(member.type)) continue;
      std::uint64_t offset = base + member.bit_offset;
      if (member.name.empty()) {
        btf::Type inner = btf.resolve(member.type);
        bool aggregate = inner.kind() == btf::Kind::struct_ || inner.kind() == btf::Kind::union_;
        if (aggregate && depth < kMaxDepth) members(inner, node, offset, depth + 1);
        continue;  // what has neither a name nor members is padding
      }
      auto tagged = tags.find({type.id(), static_cast<std::int32_t>(i)});
      std::span<const std::string_view> words;
      if (tagged != tags.end()) words = tagged->second;
      node.fields.push_back({.name = std::string(member.name),
                             .node = compile(member.type, member.name, depth + 1),
                             .meaning = member.bitfield_size == 0 ? meaning_of(btf, member.type, member.name, words) : Meaning::plain,
                             .bit_offset = offset,
                             .bits = member.bitfield_size});
    }
  }
};

Shape::Shape(const btf::Btf& btf, btf::TypeId type, std::string_view field_name) {
  Compiler compiler{.shape = *this, .btf = btf, .tags = collect_tags(btf), .done = {}, .open = {}};
  root_ = compiler.compile(type, field_name, 0);
  meaning_ = meaning_of(btf, type, field_name);
}

Shape::Shape(const btf::Btf& btf, std::span<const Variable> variables) {
  Compiler compiler{.shape = *this, .btf = btf, .tags = collect_tags(btf), .done = {}, .open = {}};
  ShapeNode node{.kind = ShapeKind::record};
  for (const Variable& variable : variables) compiler.variable(node, variable, 0);
  root_ = compiler.add(std::move(node));
}

Shape Shape::number(std::uint32_t bytes) {
  Shape shape;
  if (bytes <= 8) shape.nodes_.front() = {.kind = ShapeKind::integer, .size = bytes};
  return shape;
}

bool Shape::is_scalar() const {
  ShapeKind kind = root().kind;
  return kind == ShapeKind::integer || kind == ShapeKind::boolean || kind == ShapeKind::enumeration || kind == ShapeKind::character;
}

const Field* Shape::field(std::string_view name) const {
  auto found = std::ranges::find(root().fields, name, &Field::name);
  return found == root().fields.end() ? nullptr : &*found;
}

}  // namespace espy::render
