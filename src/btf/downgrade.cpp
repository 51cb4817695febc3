#include "btf/downgrade.hpp"

#include <algorithm>

#include "btf/builder.hpp"

namespace espy::btf {
namespace {

class Downgrade {
 public:
  Downgrade(const Btf& btf, const BtfFeatures& features)
      : btf_(btf), features_(features), builder_(Builder::strings_of(btf)), placeholder_{btf.type_count()} {}

  Result<std::vector<std::byte>> run() {
    bool placeholder = false;
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) {
      const Type type = btf_.type(TypeId{id});
      placeholder = placeholder || (type.kind() == Kind::enum64 && !features_.enum64);
      replace(type);
    }
    if (placeholder) builder_.add_int("enum64_placeholder", 1, {.bits = 8});
    return builder_.bytes();
  }

 private:
  void keep(const Type& type) { builder_.copy(type, 0, 0); }

  void replace(const Type& type) {
    const BtfFeatures& f = features_;
    switch (type.kind()) {
      case Kind::func:
        if (!f.func) builder_.add_ref(Kind::typedef_, type.name(), type.target());
        else if (!f.func_global) builder_.add_func(type.name(), type.target(), Linkage::static_);
        else keep(type);
        return;
      case Kind::func_proto: return f.func ? keep(type) : proto_as_enum(type);
      case Kind::var: return f.datasec ? keep(type) : as_byte(type);
      case Kind::datasec: return f.datasec && (f.question_mark || !type.name().starts_with('?')) ? keep(type) : datasec(type);
      case Kind::float_:
        if (f.floats) return keep(type);
        builder_.add_struct(Kind::struct_, "", type.size(), {});
        return;
      case Kind::decl_tag: return f.decl_tag && (f.tag_attributes || !type.kind_flag()) ? keep(type) : as_byte(type);
      case Kind::type_tag:
        if (f.type_tag && (f.tag_attributes || !type.kind_flag())) return keep(type);
        builder_.add_ref(Kind::const_, "", type.target());
        return;
      case Kind::enum_:
        if (f.enum64 || !type.kind_flag()) return keep(type);
        builder_.add_enum(type.name(), type.size(), false, type.enumerators());
        return;
      case Kind::enum64: return f.enum64 ? keep(type) : enum64_as_union(type);
      default: return keep(type);
    }
  }

  // One byte is never more than the variable that it stands for.
  void as_byte(const Type& type) { builder_.add_int(type.name(), 1, {.bits = 8}); }

  void proto_as_enum(const Type& type) {
    std::vector<Enumerator> values;
    for (const Param& param : type.params()) values.push_back({.name = param.name, .value = static_cast<std::uint32_t>(param.type)});
    builder_.add_enum(type.name(), 4, false, values);
  }

  void datasec(const Type& type) {
    std::string name(type.name());
    std::ranges::replace(name, '?', '_');
    if (features_.datasec) {
      builder_.add_datasec(name, type.size(), type.section_vars());
      return;
    }
    std::ranges::replace(name, '.', '_');
    std::vector<Member> members;
    for (const SectionVar& var : type.section_vars())
      members.push_back({.name = btf_.type(var.type).name(), .type = var.type, .bit_offset = var.offset * 8});
    builder_.add_struct(Kind::struct_, name, type.size(), members);
  }

  void enum64_as_union(const Type& type) {
    std::vector<Member> members;
    for (const Enumerator& value : type.enumerators()) members.push_back({.name = value.name, .type = placeholder_});
    builder_.add_struct(Kind::union_, type.name(), type.size(), members);
  }

  const Btf& btf_;
  const BtfFeatures& features_;
  Builder builder_;
  TypeId placeholder_;  // the id that follows the last
};

}  // namespace

Result<std::vector<std::byte>> downgraded(const Btf& btf, const BtfFeatures& features) {
  if (features == BtfFeatures{}) return std::vector<std::byte>(btf.bytes().begin(), btf.bytes().end());
  return Downgrade(btf, features).run();
}

}  // namespace espy::btf
