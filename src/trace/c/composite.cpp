// Structs, unions and enums: their members, and where those lie.
#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/c/declare.hpp"

namespace espy::trace::c {

namespace {

constexpr std::size_t kMostMembers = 65535;        // what BTF can hold
constexpr std::uint64_t kBiggest = std::uint64_t{1} << 28;  // bytes
constexpr std::uint64_t kFarthestBitField = 1U << 24U;      // bits from the start

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return to == 0 ? value : (value + to - 1) / to * to; }

}  // namespace

/// The struct, union or enum of this name, which need not be defined yet.
TypeIndex Declarations::tagged(btf::Kind kind, const std::string& name) {
  if (!name.empty()) {
    const auto known = tags_.find(name);
    if (known != tags_.end() && types_[known->second].kind == kind) return known->second;
  }
  const TypeIndex index = add({.kind = kind, .name = name, .is_complete = false});
  if (!name.empty()) tags_[name] = index;
  return index;
}

/// Is the type of a known size? What C does not define, the kernel may.
bool Declarations::complete(TypeIndex index) {
  CType& type = types_[resolve(index)];
  const bool is_tagged = type.kind == btf::Kind::struct_ || type.kind == btf::Kind::union_ || type.kind == btf::Kind::enum_;
  if (!is_tagged || type.is_complete) return type.kind != btf::Kind::void_ && type.kind != btf::Kind::func_proto;
  const auto found = options_.kernel && !type.name.empty() ? options_.kernel->find(type.name, type.kind) : std::nullopt;
  if (!found) return false;
  const auto align = options_.kernel->align_of(found->id());
  type.size = found->size();
  type.align = std::max(align.value_or(1), 1U);
  type.foreign = found->id();
  type.is_complete = true;
  return true;
}

std::optional<TypeIndex> Declarations::composite(btf::Kind kind) {
  Attributes own;
  attributes(own);
  std::string name;
  if (peek().kind == TokenKind::identifier) name = tokens_[at_++].text;
  attributes(own);
  if (!at("{")) {
    if (name.empty()) {
      wrong(fmt::format("expected a name or `{{` after `{}`", kind == btf::Kind::struct_ ? "struct" : "union"));
      return std::nullopt;
    }
    return tagged(kind, name);
  }
  TypeIndex index = tagged(kind, name);
  if (types_[index].is_complete && types_[index].foreign == btf::kVoid) {
    if (!peek().is_system) wrong(fmt::format("`{} {}` is defined already", kind == btf::Kind::struct_ ? "struct" : "union", name));
    index = add({.kind = kind, .name = name, .is_complete = false});  // a header's second definition is not looked up
  }
  CType type{.kind = kind, .name = name};
  members(type);
  if (failed_) return std::nullopt;
  attributes(own);
  // The attributes behind the members count for all of them, so layout waits.
  std::vector<Attributes> of_members = std::move(pending_attributes_);
  std::vector<bool> is_field = std::move(pending_fields_);
  lay_out(type, own, of_members, is_field);
  if (failed_) return std::nullopt;
  types_[index] = std::move(type);
  return index;
}

void Declarations::members(CType& type) {
  std::vector<Attributes> attributes_of;
  std::vector<bool> is_field;
  expect("{", "at the beginning of the members");
  ++braces_;
  while (!failed_ && !at("}") && at_ < tokens_.size()) {
    if (accept(";")) continue;
    if (at("_Static_assert") && peek(1).is("(")) {
      ++at_, skip_balanced();
      continue;
    }
    if (peek().kind == TokenKind::pack) {
      pack_ = tokens_[at_++].value;
      continue;
    }
    bool is_typedef = false;
    Attributes shared;
    const auto base = specifiers(is_typedef, shared);
    if (!base) return;
    if (accept(";")) {  // an anonymous struct or union
      const btf::Kind kind = types_[resolve(*base)].kind;
      const bool is_composite = kind == btf::Kind::struct_ || kind == btf::Kind::union_;
      if (is_composite && types_[resolve(*base)].name.empty()) type.members.push_back({.type = *base}), attributes_of.push_back(shared), is_field.push_back(false);
      continue;
    }
    do {
      Declarator member{.name = {}, .type = *base, .attributes = {}};
      if (!at(":")) member = declarator(*base, 0);
      bool has_width = false;
      std::uint64_t width = 0;
      if (accept(":")) has_width = true, width = constant_here().value_or(0), attributes(member.attributes);
      if (failed_) return;
      member.attributes.is_packed |= shared.is_packed;
      member.attributes.align = std::max(member.attributes.align, shared.align);
      const CType& resolved = types_[resolve(member.type)];
      if (!complete(member.type)) {
        return wrong(fmt::format("the size of member `{}` is not known", member.name), resolved.name.empty() ? "" : fmt::format("define `{}` before, or use a pointer to it", resolved.name));
      }
      if (has_width && (resolved.size > 8 || width > resolved.size * 8)) return wrong(fmt::format("bit-field `{}` is wider than its type", member.name));
      if (type.members.size() >= kMostMembers) return wrong("too many members");
      type.members.push_back({.name = std::move(member.name), .type = member.type, .bits = static_cast<std::uint32_t>(width)});
      attributes_of.push_back(member.attributes);
      is_field.push_back(has_width);
    } while (accept(","));
    if (!at("}")) expect(";", "after the member");   // the last one's may be left away, as scripts do
  }
  if (expect("}", "after the members")) --braces_;
  pending_attributes_ = std::move(attributes_of);
  pending_fields_ = std::move(is_field);
}

void Declarations::lay_out(CType& type, const Attributes& own, const std::vector<Attributes>& of_members, const std::vector<bool>& is_field) {
  const bool is_union = type.kind == btf::Kind::union_;
  std::uint64_t at = 0, end = 0;  // bits
  type.align = 1;
  for (std::size_t number = 0; number < type.members.size(); ++number) {
    CMember& member = type.members[number];
    const std::uint64_t bits = types_[resolve(member.type)].size * 8;
    const bool is_packed = own.is_packed || of_members[number].is_packed;
    std::uint32_t align = is_packed ? 1 : align_of(member.type);
    if (pack_ != 0) align = std::min(align, pack_);
    align = std::max({align, of_members[number].align, 1U});
    if (is_union) at = 0;
    if (is_field[number] && member.bits == 0) {  // `int : 0;` ends the unit
      at = round_up(at, bits);
      continue;
    }
    if (is_field[number]) {
      const bool crosses = at / bits != (at + member.bits - 1) / bits;
      if ((crosses && !is_packed && pack_ == 0) || of_members[number].align != 0) at = round_up(at, std::uint64_t{align} * 8);
      if (member.name.empty()) align = 1;  // a filler asks for nothing
    } else {
      at = round_up(at, std::uint64_t{align} * 8);
    }
    member.bit_offset = at;
    at += is_field[number] ? member.bits : bits;
    end = std::max(end, at);
    type.align = std::max(type.align, align);
    if (is_field[number] && member.bit_offset >= kFarthestBitField) return wrong("a bit-field is too far from the start");
  }
  end = std::max(end, at);
  type.align = std::max(type.align, own.align);
  type.size = round_up(round_up(end, 8) / 8, type.align);
  if (type.size > kBiggest) return wrong("this type is too big");
  // Nameless fillers are no members.
  std::size_t kept = 0;
  for (std::size_t number = 0; number < type.members.size(); ++number) {
    if (is_field[number] && type.members[number].name.empty()) continue;
    if (kept != number) type.members[kept] = std::move(type.members[number]);
    ++kept;
  }
  type.members.resize(kept);
}

std::optional<TypeIndex> Declarations::enumeration() {
  Attributes own;
  attributes(own);
  std::string name;
  if (peek().kind == TokenKind::identifier) name = tokens_[at_++].text;
  if (!accept("{")) {
    if (!name.empty()) return tagged(btf::Kind::enum_, name);
    wrong("expected a name or `{` after `enum`");
    return std::nullopt;
  }
  ++braces_;
  CType type{.kind = btf::Kind::enum_, .name = name};
  std::uint64_t next = 0;
  bool any_negative = false, any_wide_signed = false, any_wide = false;
  while (!failed_ && peek().kind == TokenKind::identifier && type.enumerators.size() < kMostMembers) {
    std::string enumerator(tokens_[at_++].text);
    Attributes ignored;
    attributes(ignored);
    bool is_unsigned = static_cast<std::int64_t>(next) < 0 && !any_negative;
    if (accept("=")) {
      const auto value = constant_value();
      if (!value) wrong(fmt::format("the value of `{}` is no integer constant", enumerator));
      next = value.value_or(Value{}).bits;
      is_unsigned = value.value_or(Value{}).is_unsigned;
    }
    const auto as_signed = static_cast<std::int64_t>(next);
    const bool is_negative = as_signed < 0 && !is_unsigned;
    any_negative |= is_negative;
    any_wide |= is_negative ? as_signed < INT32_MIN : next > UINT32_MAX;
    any_wide_signed |= next > INT32_MAX && !is_negative;
    enumerators_[enumerator] = Value{next, is_unsigned};
    type.enumerators.emplace_back(std::move(enumerator), next++);
    if (!accept(",")) break;
  }
  if (expect("}", "after the enumerators")) --braces_;
  attributes(own);
  if (failed_) return std::nullopt;
  type.is_signed = any_negative;
  type.size = any_wide || (any_negative && any_wide_signed) ? 8 : 4;
  if (own.is_packed) {
    type.size = 1;
    for (const auto& [label, value] : type.enumerators) {
      const auto as_signed = static_cast<std::int64_t>(value);
      const auto fits = [&](std::uint64_t bytes) {
        const unsigned unused = 64 - static_cast<unsigned>(bytes) * 8;
        return type.is_signed ? static_cast<std::int64_t>(value << unused) >> unused == as_signed : bytes == 8 || value >> (bytes * 8) == 0;
      };
      while (type.size < 8 && !fits(type.size)) type.size *= 2;
    }
  }
  type.align = static_cast<std::uint32_t>(type.size);
  const TypeIndex index = tagged(btf::Kind::enum_, name);
  types_[index] = std::move(type);
  return index;
}

}  // namespace espy::trace::c
