#include "verifier/types.hpp"

#include <algorithm>

namespace espy::verifier {
namespace {

/// Special structures by name: what the program declares in its own types, and the kernel knows by name and size.
struct SpecialName {
  std::string_view name;
  FieldKind kind;
  std::uint32_t size;
};
constexpr SpecialName kSpecials[] = {
    {"bpf_spin_lock", FieldKind::spin_lock, 4},     {"bpf_res_spin_lock", FieldKind::res_spin_lock, 4}, {"bpf_timer", FieldKind::timer, 16},
    {"bpf_wq", FieldKind::workqueue, 16},           {"bpf_task_work", FieldKind::task_work, 8},         {"bpf_list_head", FieldKind::list_head, 16},
    {"bpf_list_node", FieldKind::list_node, 24},    {"bpf_rb_root", FieldKind::rb_root, 16},            {"bpf_rb_node", FieldKind::rb_node, 32},
    {"bpf_refcount", FieldKind::refcount, 4},
};
constexpr int kMaxNesting = 8;
constexpr std::uint32_t kMaxElements = 256;
constexpr std::size_t kMaxFields = 11;        // as many as the kernel takes
constexpr std::uint32_t kMaxVisited = 4096;   // members looked at: hostile types nest without end

bool is_modifier(btf::Kind kind) {
  return kind == btf::Kind::typedef_ || kind == btf::Kind::volatile_ || kind == btf::Kind::const_ || kind == btf::Kind::restrict_;
}

}  // namespace

std::string_view name_of(FieldKind kind) {
  constexpr std::string_view kNames[] = {"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_workqueue", "bpf_task_work", "kptr", "kptr",
                                         "percpu_kptr", "uptr", "bpf_list_head", "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount"};
  return kNames[static_cast<std::size_t>(kind)];
}

const SpecialField* Record::find(FieldKind kind) const {
  auto found = std::ranges::find(fields, kind, &SpecialField::kind);
  return found == fields.end() ? nullptr : &*found;
}

const SpecialField* Record::at(std::uint32_t offset) const {
  auto found = std::ranges::find(fields, offset, &SpecialField::offset);
  return found == fields.end() ? nullptr : &*found;
}

const SpecialField* Record::overlapping(std::uint32_t offset, std::uint32_t size) const {
  for (const SpecialField& field : fields)
    if (offset < field.offset + field.size && field.offset < offset + size) return &field;
  return nullptr;
}

Types::Types(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target)
    : object_(object), program_(program), target_(target) {}

const btf::Btf* Types::btf(BtfRef ref) const {
  if (ref == BtfRef::vmlinux) return kernel();
  if (ref == BtfRef::program) return own();
  const auto index = static_cast<std::size_t>(ref) - static_cast<std::size_t>(BtfRef::first_module);
  if (!modules_read_) {
    modules_read_ = true;
    if (target_.modules)
      if (auto read = target_.modules()) modules_ = std::move(*read);
  }
  return index < modules_.size() ? modules_[index].btf.get() : nullptr;
}

BtfRef Types::module_of(std::uint32_t insn) const {
  for (const object::ModuleBtfUse& use : program_.module_btfs)
    if (use.insn == insn) return module_named(use.module);
  return BtfRef::vmlinux;
}

BtfRef Types::module_named(std::string_view name) const {
  (void)btf(BtfRef::first_module);
  for (std::size_t i = 0; i < modules_.size() && i < 250; ++i)
    if (modules_[i].name == name) return static_cast<BtfRef>(i + static_cast<std::size_t>(BtfRef::first_module));
  return BtfRef::vmlinux;
}

std::optional<btf::TypeId> Types::kernel_struct(std::string_view name) const {
  auto [at, added] = structs_.try_emplace(std::string(name));
  if (added && kernel() != nullptr)
    if (auto found = kernel()->find(name, btf::Kind::struct_)) at->second = found->id();
  return at->second;
}

std::string Types::name(BtfRef ref, btf::TypeId type) const {
  const btf::Btf* btf = this->btf(ref);
  return btf != nullptr ? std::string(btf->type(type).name()) : std::string();
}

std::uint32_t Types::size(BtfRef ref, btf::TypeId type) const {
  const btf::Btf* btf = this->btf(ref);
  if (btf == nullptr) return 0;
  const auto size = btf->size_of(type);
  return size ? *size : 0;
}

const Record& Types::record(btf::TypeId type) const {
  auto [at, added] = records_.try_emplace(static_cast<std::uint32_t>(type));
  if (added && own() != nullptr) {
    Record record;
    collect_fields(type, 0, record, 0);
    std::ranges::sort(record.fields, {}, &SpecialField::offset);
    // unordered_map keeps references to its values; collect_fields may have added others.
    records_[static_cast<std::uint32_t>(type)] = std::move(record);
  }
  return records_.find(static_cast<std::uint32_t>(type))->second;
}

void Types::collect_fields(btf::TypeId id, std::uint32_t offset, Record& record, int depth) const {
  if (depth > kMaxNesting || record.fields.size() > kMaxFields || ++record.visited > kMaxVisited) return;
  const btf::Type type = own()->resolve(id);
  if (type.kind() == btf::Kind::datasec) {
    for (const btf::SectionVar& var : type.section_vars()) {
      const btf::Type variable = own()->type(var.type);
      if (variable.kind() != btf::Kind::var) continue;
      btf::Member member{.name = variable.name(), .type = variable.target(), .bit_offset = 0, .bitfield_size = 0};
      const btf::Type inner = own()->resolve(member.type);
      add_field(member, inner.name(), offset + var.offset, record);
      if (inner.kind() == btf::Kind::struct_) collect_nodes(var.type, var.offset, record);
    }
    return;
  }
  if (type.kind() != btf::Kind::struct_) return;
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const btf::Member member = type.member(i);
    if (member.bitfield_size != 0) continue;
    std::uint32_t at = offset + member.bit_offset / 8;
    btf::Type inner = own()->resolve(member.type);
    std::uint32_t count = 1;
    while (inner.kind() == btf::Kind::array && count <= kMaxElements) {
      count *= inner.array().count;
      inner = own()->resolve(inner.array().element);
    }
    if (count > kMaxElements) continue;
    btf::Member element = member;
    if (inner.id() != own()->resolve(member.type).id()) element.type = inner.id();
    const std::uint32_t step = size(BtfRef::program, inner.kind() == btf::Kind::ptr ? member.type : inner.id());
    for (std::uint32_t n = 0; n < count; ++n, at += count > 1 ? step / (inner.kind() == btf::Kind::ptr ? count : 1) : 0) {
      const std::size_t before = record.fields.size();
      add_field(element, inner.name(), at, record);
      if (record.fields.size() != before) {
        SpecialField& added = record.fields.back();
        if (added.kind == FieldKind::list_head || added.kind == FieldKind::rb_root) fill_graph(type.id(), static_cast<std::int32_t>(i), added);
      } else if (inner.kind() == btf::Kind::struct_) {
        collect_fields(inner.id(), at, record, depth + 1);
      }
    }
  }
}

/// A list or tree in a global variable: its tag stands on the variable.
void Types::collect_nodes(btf::TypeId variable, std::uint32_t offset, Record& record) const {
  for (SpecialField& field : record.fields)
    if (field.offset == offset && (field.kind == FieldKind::list_head || field.kind == FieldKind::rb_root))
      fill_graph(variable, -1, field);
}

void Types::add_field(const btf::Member& member, std::string_view name, std::uint32_t offset, Record& record) const {
  const btf::Type type = own()->resolve(member.type);
  if (type.kind() == btf::Kind::ptr) {
    add_kptr(member, offset, record);
    return;
  }
  if (type.kind() != btf::Kind::struct_) return;
  for (const SpecialName& special : kSpecials)
    if (special.name == name) {
      record.fields.push_back({.kind = special.kind, .offset = offset, .size = special.size});
      return;
    }
}

/// A pointer into the kernel that the program keeps: `struct task_struct __kptr *p`.
bool Types::add_kptr(const btf::Member& member, std::uint32_t offset, Record& record) const {
  btf::Type pointer = own()->type(member.type);
  for (int i = 0; i < 32 && is_modifier(pointer.kind()); ++i) pointer = own()->type(pointer.target());
  if (pointer.kind() != btf::Kind::ptr) return false;
  const btf::Type tag = own()->type(pointer.target());
  if (tag.kind() != btf::Kind::type_tag) return false;
  SpecialField field{.kind = FieldKind::kptr, .offset = offset, .size = 8};
  if (tag.name() == "kptr_untrusted") field.kind = FieldKind::kptr_untrusted;
  else if (tag.name() == "percpu_kptr") field.kind = FieldKind::kptr_percpu;
  else if (tag.name() == "uptr") field.kind = FieldKind::uptr;
  else if (tag.name() != "kptr" && tag.name() != "kptr_ref") return false;
  const btf::Type to = own()->resolve(tag.target());
  field.btf = BtfRef::program;
  field.type = to.id();
  if (field.kind != FieldKind::uptr)
    if (auto kernel_type = kernel_struct(to.name())) {
      field.btf = BtfRef::vmlinux;
      field.type = *kernel_type;
    }
  record.fields.push_back(field);
  return true;
}

/// `contains:TYPE:MEMBER`: what a list or tree holds.
void Types::fill_graph(btf::TypeId parent, std::int32_t member, SpecialField& field) const {
  for (std::uint32_t id = own()->start_id(); id < own()->type_count(); ++id) {
    const btf::Type tag = own()->type(btf::TypeId{id});
    if (tag.kind() != btf::Kind::decl_tag || tag.target() != parent || tag.component_index() != member) continue;
    std::string_view text = tag.name();
    if (!text.starts_with("contains:")) continue;
    text.remove_prefix(9);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    const auto type = own()->find(text.substr(0, colon), btf::Kind::struct_);
    if (!type) continue;
    for (const btf::Member& node : type->members())
      if (node.name == text.substr(colon + 1)) {
        field.btf = BtfRef::program;
        field.type = type->id();
        field.node_offset = node.bit_offset / 8;
        return;
      }
  }
}

}  // namespace espy::verifier
