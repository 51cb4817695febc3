#include "vm/maps/fields.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace espy::vm {
namespace {

using btf::Kind;

struct KnownType {
  std::string_view name;
  ValueField::Kind kind{};
  std::uint32_t size = 0;
};
constexpr KnownType kKnown[] = {
    {"bpf_spin_lock", ValueField::Kind::lock, 4},     {"bpf_timer", ValueField::Kind::timer, 16},     {"bpf_res_spin_lock", ValueField::Kind::opaque, 4},
    {"bpf_wq", ValueField::Kind::opaque, 16},         {"bpf_list_head", ValueField::Kind::opaque, 16}, {"bpf_list_node", ValueField::Kind::opaque, 24},
    {"bpf_rb_root", ValueField::Kind::opaque, 16},    {"bpf_rb_node", ValueField::Kind::opaque, 32},  {"bpf_refcount", ValueField::Kind::opaque, 4},
    {"bpf_task_work", ValueField::Kind::opaque, 8},
};
constexpr std::string_view kPointerTags[] = {"kptr", "kptr_untrusted", "percpu_kptr", "uptr"};

class Finder {
 public:
  explicit Finder(const btf::Btf& types) : types_(types) {}

  void look(btf::TypeId id, std::uint32_t at, unsigned depth) {
    if (depth > kDeepest || found.size() > kMost) return;
    const btf::Type type = resolved(id);
    switch (type.kind()) {
      case Kind::struct_: return structure(type, at, depth);
      case Kind::array: {
        const btf::ArrayInfo array = type.array();
        const std::uint32_t size = static_cast<std::uint32_t>(types_.size_of(array.element).value_or(0));
        for (std::uint32_t i = 0; size != 0 && i < std::min(array.count, kMostElements); ++i) look(array.element, at + i * size, depth + 1);
        return;
      }
      case Kind::datasec:
        for (std::uint32_t i = 0; i < type.vlen(); ++i) look(types_.type(type.section_var(i).type).target(), at + type.section_var(i).offset, depth + 1);
        return;
      case Kind::ptr: {
        const btf::Type tag = types_.type(type.target());
        if (tag.kind() == Kind::type_tag && std::ranges::find(kPointerTags, tag.name()) != std::end(kPointerTags)) {
          found.push_back({ValueField::Kind::pointer, at, 8});
        }
        return;
      }
      default: return;
    }
  }

  std::vector<ValueField> found;

 private:
  static constexpr unsigned kDeepest = 8;
  static constexpr std::uint32_t kMostElements = 64;
  static constexpr std::size_t kMost = 256;

  btf::Type resolved(btf::TypeId id) const {
    btf::Type type = types_.type(id);
    for (unsigned i = 0; i < 32; ++i) {
      const Kind kind = type.kind();
      if (kind != Kind::typedef_ && kind != Kind::const_ && kind != Kind::volatile_ && kind != Kind::restrict_ && kind != Kind::type_tag && kind != Kind::var) break;
      type = types_.type(type.target());
    }
    return type;
  }

  void structure(const btf::Type& type, std::uint32_t at, unsigned depth) {
    auto known = std::ranges::find(kKnown, type.name(), &KnownType::name);
    if (known != std::end(kKnown)) return found.push_back({known->kind, at, known->size});
    for (const btf::Member& member : type.members()) {
      if (member.bitfield_size == 0) look(member.type, at + member.bit_offset / 8, depth + 1);
    }
  }

  const btf::Btf& types_;
};

}  // namespace

std::vector<ValueField> value_fields(const btf::Btf& types, btf::TypeId type) {
  Finder finder(types);
  finder.look(type, 0, 0);
  std::ranges::sort(finder.found, {}, &ValueField::offset);
  return std::move(finder.found);
}

}  // namespace espy::vm
