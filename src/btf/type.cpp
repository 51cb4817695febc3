// Decoding one record. A Type's record lies inside its section (the index checked that), and each accessor reads only
// words that its kind has, so that none can leave the record.
#include <algorithm>
#include <cstring>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

// Collects what `one` yields for each entry.
template <typename T>
std::vector<T> collect(const Type& type, T (Type::*one)(std::uint32_t) const) {
  std::vector<T> all;
  const std::uint32_t count = type.vlen();
  all.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) all.push_back((type.*one)(i));
  return all;
}

bool is_composite(Kind kind) { return kind == Kind::struct_ || kind == Kind::union_; }

}  // namespace

std::uint32_t Type::word(std::size_t index) const {
  std::uint32_t value;
  std::memcpy(&value, at_ + index * sizeof value, sizeof value);
  return value;
}

Kind Type::kind() const { return static_cast<Kind>(kind_of(word(1))); }
Bytes Type::record() const { return {at_, kKinds[static_cast<std::size_t>(kind())].bytes(vlen_of(word(1)))}; }
std::string_view Type::name() const { return btf_->string(word(0)); }
bool Type::kind_flag() const { return flag_of(word(1)); }

std::uint32_t Type::vlen() const {
  return kKinds[static_cast<std::size_t>(kind())].each.empty() ? 0 : vlen_of(word(1));
}
std::uint32_t Type::size() const { return kKinds[static_cast<std::size_t>(kind())].third == Third::size ? word(2) : 0; }
TypeId Type::target() const {
  return kKinds[static_cast<std::size_t>(kind())].third == Third::type ? TypeId{word(2)} : kVoid;
}

bool Type::is_signed() const {
  if (kind() == Kind::int_) return int_info().is_signed;
  return (kind() == Kind::enum_ || kind() == Kind::enum64) && kind_flag();
}
bool Type::is_union_fwd() const { return kind() == Kind::fwd && kind_flag(); }

IntInfo Type::int_info() const {
  if (kind() != Kind::int_) return {};
  const std::uint32_t data = word(3), encoding = data >> 24 & 0xf;
  return {.bits = static_cast<std::uint8_t>(data), .offset = static_cast<std::uint8_t>(data >> 16),
          .is_signed = (encoding & 1) != 0, .is_char = (encoding & 2) != 0, .is_bool = (encoding & 4) != 0};
}

ArrayInfo Type::array() const {
  if (kind() != Kind::array) return {};
  return {.element = TypeId{word(3)}, .index = TypeId{word(4)}, .count = word(5)};
}

Linkage Type::linkage() const {
  if (kind() == Kind::var) return static_cast<Linkage>(word(3));
  return kind() == Kind::func ? static_cast<Linkage>(vlen_of(word(1))) : Linkage::static_;
}
std::int32_t Type::component_index() const {
  return kind() == Kind::decl_tag ? static_cast<std::int32_t>(word(3)) : -1;
}

Member Type::member(std::uint32_t index) const {
  if (!is_composite(kind()) || index >= vlen()) return {};
  const std::size_t at = 3 + std::size_t{index} * 3;
  const std::uint32_t offset = word(at + 2);
  Member member{.name = btf_->string(word(at)), .type = TypeId{word(at + 1)}, .bit_offset = offset};
  if (kind_flag()) member.bit_offset = offset & 0xffffff, member.bitfield_size = offset >> 24;
  return member;
}

Enumerator Type::enumerator(std::uint32_t index) const {
  if (index >= vlen()) return {};
  if (kind() == Kind::enum_) {
    const std::uint32_t value = word(3 + std::size_t{index} * 2 + 1);
    return {.name = btf_->string(word(3 + std::size_t{index} * 2)),
            .value = kind_flag() ? static_cast<std::uint64_t>(static_cast<std::int32_t>(value)) : value};
  }
  if (kind() != Kind::enum64) return {};
  const std::size_t at = 3 + std::size_t{index} * 3;
  return {.name = btf_->string(word(at)), .value = std::uint64_t{word(at + 2)} << 32 | word(at + 1)};
}

Param Type::param(std::uint32_t index) const {
  if (kind() != Kind::func_proto || index >= vlen()) return {};
  const std::size_t at = 3 + std::size_t{index} * 2;
  return {.name = btf_->string(word(at)), .type = TypeId{word(at + 1)}};
}

SectionVar Type::section_var(std::uint32_t index) const {
  if (kind() != Kind::datasec || index >= vlen()) return {};
  const std::size_t at = 3 + std::size_t{index} * 3;
  return {.type = TypeId{word(at)}, .offset = word(at + 1), .size = word(at + 2)};
}

std::vector<Member> Type::members() const {
  return is_composite(kind()) ? collect(*this, &Type::member) : std::vector<Member>{};
}
std::vector<Enumerator> Type::enumerators() const {
  return kind() == Kind::enum_ || kind() == Kind::enum64 ? collect(*this, &Type::enumerator) : std::vector<Enumerator>{};
}
std::vector<Param> Type::params() const {
  return kind() == Kind::func_proto ? collect(*this, &Type::param) : std::vector<Param>{};
}
std::vector<SectionVar> Type::section_vars() const {
  return kind() == Kind::datasec ? collect(*this, &Type::section_var) : std::vector<SectionVar>{};
}

}  // namespace espy::btf
