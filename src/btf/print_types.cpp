// Layout is kept by following the compiler: at each member we know where clang would put it, given the members before it
// and the alignment of its type as printed, and where BTF says it is. Where these differ, unnamed bit-fields fill the gap
// bit by bit; they have no name that could clash and do not add to the alignment of the struct.
#include "btf/print_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "btf/declare.hpp"

namespace espy::btf {
namespace {

constexpr std::size_t kMaxExpansion = 32;                // anonymous types inside each other
constexpr std::uint64_t kMaxText = std::uint64_t{1} << 26;  // in all: hostile types can expand without end
constexpr std::uint64_t kMaxPaddingBits = 64 * 2048;     // filled bit-field by bit-field; beyond, by an array

bool is_any_enum(Kind kind) { return kind == Kind::enum_ || kind == Kind::enum64; }

std::string tabs(int count) { return std::string(static_cast<std::size_t>(std::max(count, 0)), '\t'); }

std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) { return unit == 0 ? value : (value + unit - 1) / unit * unit; }

/// Unnamed bit-fields from bit `from` to bit `to`, none across a border of 64 bits; a long gap is mostly one array.
void pad(std::uint64_t from, std::uint64_t to, int indent, std::string& text) {
  while (from < to) {
    if (to - from > kMaxPaddingBits && from % 64 == 0) {
      text += fmt::format("{}char __padding_{}[{}];\n", tabs(indent), from / 8, (to - from) / 8);
      from += (to - from) / 8 * 8;
      continue;
    }
    const std::uint64_t bits = std::min(to - from, 64 - from % 64);
    text += fmt::format("{}long: {};\n", tabs(indent), bits);
    from += bits;
  }
}

/// The attribute that gives an enum its size where its values would not; empty for the usual 4 bytes. `packed` lets the
/// values choose size and sign; `mode` forces a size, as a signed type.
std::string_view enum_size(const Type& type) {
  std::uint64_t any = 0;
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const std::uint64_t value = type.enumerator(i).value;
    any |= static_cast<std::int64_t>(value) < 0 && type.is_signed() ? ~value << 1 : value;
  }
  switch (type.size()) {
    case 1: return " __attribute__((packed))";
    case 2: return any > 0xff ? " __attribute__((packed))" : " __attribute__((mode(HI)))";
    case 8: return any > UINT32_MAX ? "" : " __attribute__((mode(word)))";
    default: return "";
  }
}

}  // namespace

bool is_c_word(std::string_view name) {
  static constexpr std::array<std::string_view, 12> words{"char", "short", "int", "long", "signed", "unsigned", "__int128", "_Bool",
                                                          "float", "double", "_Float16", "__bf16"};
  const auto parts = split_words(name);
  return !parts.empty() && std::ranges::all_of(parts, [](std::string_view part) { return std::ranges::find(words, part) != words.end(); });
}

std::string TypePrinter::tag(const Type& type) const {
  std::string_view word = "struct";
  if (type.kind() == Kind::union_ || type.is_union_fwd()) word = "union";
  if (is_any_enum(type.kind())) word = "enum";
  const std::string name = names_.of(type);
  return name.empty() ? std::string(word) : fmt::format("{} {}", word, name);
}

std::string TypePrinter::spell(const Type& type, int indent) {
  switch (type.kind()) {
    case Kind::struct_:
    case Kind::union_:
    case Kind::enum_:
    case Kind::enum64: {
      if (!type.name().empty()) return tag(type);
      const bool again = std::ranges::find(expanding_, type.id()) != expanding_.end();
      if (again || expanding_.size() >= kMaxExpansion || printed_ > kMaxText) return "void";
      expanding_.push_back(type.id());
      std::string text = body(type, indent);
      expanding_.pop_back();
      return text;
    }
    case Kind::fwd: return tag(type);
    case Kind::typedef_: return names_.of(type);
    case Kind::int_:
    case Kind::float_: return is_c_word(type.name()) ? std::string(type.name()) : identifier(type.name());
    default: return "void";
  }
}

std::string TypePrinter::declaration(TypeId id, std::string_view name, int indent) {
  if (printed_ > kMaxText) return fmt::format("int {}", name);
  std::string text = declare(btf_, id, name, [&](const Type& type) { return spell(type, indent); }, Tags::kept);
  printed_ += text.size();
  return text;
}

std::string TypePrinter::body(const Type& type, int indent) {
  return is_any_enum(type.kind()) ? enum_body(type, indent) : composite_body(type, indent);
}

std::string TypePrinter::enum_body(const Type& type, int indent) {
  std::string text = tag(type);
  if (type.vlen() == 0 && !type.name().empty()) return text;  // a forward declaration, as gcc allows
  text += " {\n";
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const Enumerator value = type.enumerator(i);
    const std::string_view suffix = type.kind() == Kind::enum_ ? "" : type.is_signed() ? "LL" : "ULL";
    const std::string number = type.is_signed() ? std::to_string(static_cast<std::int64_t>(value.value)) : std::to_string(value.value);
    text += fmt::format("{}{} = {}{},\n", tabs(indent + 1), names_.take(value.name), number, suffix);
  }
  return text + tabs(indent) + "}" + std::string(enum_size(type));
}

void TypePrinter::member_line(const Type& composite, const Member& member, bool packed, std::uint64_t& at, int indent, std::string& text) {
  const bool in_union = composite.kind() == Kind::union_;
  auto size = btf_.size_of(member.type);
  const std::uint64_t bits = member.bitfield_size != 0 ? member.bitfield_size : std::uint64_t{size ? *size : 0} * 8;
  if (!in_union) {
    std::uint64_t natural = at;
    if (member.bitfield_size == 0) {
      natural = align_up(at, packed ? 8 : 8 * std::max(1U, alignments_.of(member.type)));
    } else if (const std::uint64_t unit = std::uint64_t{btf_.resolve(member.type).size()} * 8; !packed && unit != 0) {
      if (at % unit + member.bitfield_size > unit) natural = align_up(at, unit);
    }
    if (natural < member.bit_offset) {
      const std::size_t before = text.size();
      pad(at, member.bit_offset, indent, text);
      printed_ += text.size() - before;
    }
    at = member.bit_offset + bits;
  } else {
    at = std::max(at, bits);
  }
  const std::string name = identifier(member.name);
  text += tabs(indent) + declaration(member.type, name, indent);
  if (member.bitfield_size != 0) text += fmt::format("{}: {}", name.empty() ? " " : "", member.bitfield_size);
  text += ";\n";
}

std::string TypePrinter::composite_body(const Type& type, int indent) {
  const bool packed = alignments_.packed(type);
  std::string text = tag(type) + " {";
  std::string lines;
  std::uint64_t at = 0;  // bits from the start at which the next member could begin
  for (std::uint32_t i = 0; i < type.vlen() && printed_ <= kMaxText; ++i)
    member_line(type, type.member(i), packed, at, indent + 1, lines);
  const std::uint64_t end = std::uint64_t{type.size()} * 8;
  const std::uint64_t natural = align_up(at, packed ? 8 : 8 * std::uint64_t{std::max(1U, alignments_.of(type.id()))});
  if (natural < end) {
    if (type.kind() == Kind::union_) lines += fmt::format("{}struct {{\n{}char __padding[{}];\n{}}};\n", tabs(indent + 1), tabs(indent + 2), end / 8, tabs(indent + 1));
    else pad(at, end, indent + 1, lines);
  }
  if (!lines.empty()) text += "\n" + lines + tabs(indent);
  return text + (packed ? "} __attribute__((packed))" : "}");
}

std::string TypePrinter::alias(const Type& type) {
  if (type.kind() == Kind::typedef_) return "typedef " + declaration(type.target(), names_.of(type));
  const std::string name = identifier(type.name());
  if (type.kind() == Kind::float_) return fmt::format("typedef {} {}", type.size() == 2 ? "_Float16" : type.size() == 4 ? "float" : type.size() == 8 ? "double" : "long double", name);
  const IntInfo info = type.int_info();
  std::string_view word = "int";
  switch (type.size()) {
    case 1: word = "char"; break;
    case 2: word = "short"; break;
    case 8: word = "long long"; break;
    case 16: word = "__int128"; break;
    default: break;
  }
  return fmt::format("typedef {}{} {}", info.is_signed ? "signed " : "unsigned ", word, name);
}

}  // namespace espy::btf
