// What stands before and around a declared name.
#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/c/declare.hpp"
#include "trace/syntax/type_words.hpp"

namespace espy::trace::c {

namespace {

constexpr unsigned kDeepest = 60;
constexpr std::uint64_t kBiggest = std::uint64_t{1} << 28;

constexpr std::array kQualifiers = std::to_array<std::string_view>({"const", "volatile", "restrict", "__restrict", "__restrict__", "__const",
    "__volatile__", "__extension__", "extern", "static", "inline", "__inline", "__inline__", "register", "auto", "_Noreturn",
    "_Thread_local", "__thread", "_Atomic"});
constexpr std::array kBasicWords = std::to_array<std::string_view>({"void", "char", "short", "int", "long", "signed", "__signed__", "unsigned",
    "float", "double", "_Bool", "__int128", "__int128_t", "__uint128_t", "_Complex"});

}  // namespace

bool Declarations::begins_type() const {
  const Token& token = peek();
  if (token.kind != TokenKind::identifier) return false;
  return contains(kQualifiers, token.text) || contains(kBasicWords, token.text) || is_type_tag(token.text) || typedefs_.contains(token.text) ||
         token.is("__attribute__") || (options_.kernel && options_.kernel->find(token.text, btf::Kind::typedef_));
}

/// `__attribute__((packed, aligned(8)))`, any number of them.
void Declarations::attributes(Attributes& into) {
  while (at("__attribute__") || at("__attribute") || at("_Alignas") || at("__asm__") || at("asm") || at("__declspec")) {
    const bool is_alignas = at("_Alignas");
    ++at_;
    const std::size_t begin = at_;
    if (!at("(")) return wrong("expected `(` after the attribute");
    skip_balanced();
    const std::size_t end = at_;
    for (std::size_t piece = begin; piece < end; ++piece) {
      const std::string_view word = trim(tokens_[piece].text);
      if (word == "packed" || word == "__packed__") into.is_packed = true;
      if (word != "aligned" && word != "__aligned__" && !(is_alignas && piece == begin)) continue;
      std::uint64_t align = 16;
      const std::size_t open = is_alignas ? piece : piece + 1;
      if (open < end && tokens_[open].is("(")) {
        std::size_t inside = open + 1;
        const auto value = evaluate(tokens_, inside, meaning());
        if (value) align = value->bits;
      }
      if (align == 0 || align > 4096 || (align & (align - 1)) != 0) return wrong("an alignment is a power of two");
      into.align = std::max(into.align, static_cast<std::uint32_t>(align));
    }
  }
}

void Declarations::qualifiers(Attributes& into) {
  for (std::size_t before = at_ + 1; before != at_;) {
    before = at_;
    attributes(into);
    while (peek().kind == TokenKind::identifier && contains(kQualifiers, peek().text)) ++at_;
    if (failed_) return;
  }
}

/// `unsigned long int`, in any order.
std::optional<TypeIndex> Declarations::base_words() {
  unsigned longs = 0;
  bool is_unsigned = false, is_signed = false, is_short = false, is_char = false, is_wide = false, any = false;
  std::string_view other;
  Attributes ignored;
  for (; peek().kind == TokenKind::identifier && contains(kBasicWords, peek().text); qualifiers(ignored)) {
    const std::string_view word = tokens_[at_++].text;
    any = true;
    if (word == "long") ++longs;
    else if (word == "unsigned") is_unsigned = true;
    else if (word == "signed" || word == "__signed__") is_signed = true;
    else if (word == "short") is_short = true;
    else if (word == "char") is_char = true;
    else if (word == "__int128" || word == "__int128_t") is_wide = true;
    else if (word == "__uint128_t") is_wide = is_unsigned = true;
    else if (word != "int") other = word;
  }
  if (!any) return std::nullopt;
  if (!other.empty()) return basic(other == "double" && longs > 0 ? "long double" : other);
  if (is_char) return basic(is_unsigned ? "unsigned char" : is_signed ? "signed char" : "char");
  if (is_wide) return basic(is_unsigned ? "unsigned __int128" : "__int128");
  if (is_short) return basic(is_unsigned ? "unsigned short" : "short");
  if (longs > 1) return basic(is_unsigned ? "unsigned long long" : "long long");
  if (longs == 1) return basic(is_unsigned ? "unsigned long" : "long");
  return basic(is_unsigned ? "unsigned int" : "int");
}

std::optional<TypeIndex> Declarations::named_type() {
  if (peek().kind != TokenKind::identifier) {
    wrong(peek().kind == TokenKind::end ? std::string("expected a type, found the end") : fmt::format("expected a type, found `{}`", peek().text.substr(0, 60)));
    return std::nullopt;
  }
  const std::string_view name = peek().text;
  if (const auto known = typedefs_.find(name); known != typedefs_.end()) {
    ++at_;
    return known->second;
  }
  if (const auto index = kernel_type(name, btf::Kind::typedef_)) {
    ++at_;
    typedefs_.emplace(name, *index);
    return index;
  }
  std::vector<std::string_view> names;
  for (const auto& [known, index] : typedefs_) names.push_back(known);
  const std::string_view near = nearest(name, names);
  wrong(fmt::format("`{}` is no type", name), near.empty() ? options_.kernel ? "" : "include the header that defines it" : fmt::format("did you mean `{}`?", near));
  return std::nullopt;
}

std::optional<TypeIndex> Declarations::specifiers(bool& is_typedef, Attributes& into) {
  std::optional<TypeIndex> type;
  if (++depth_ > kDeepest) {
    wrong("this is nested too deeply");
    return std::nullopt;
  }
  for (;;) {
    qualifiers(into);
    if (accept("typedef")) {
      is_typedef = true;
      continue;
    }
    if (failed_ || type) break;
    if (accept("struct")) type = composite(btf::Kind::struct_);
    else if (accept("union")) type = composite(btf::Kind::union_);
    else if (accept("enum")) type = enumeration();
    else if (auto basic = base_words()) type = basic;
    else type = named_type();
    if (!type) break;
  }
  --depth_;
  return failed_ ? std::nullopt : type;
}

Declarations::Declarator Declarations::declarator(TypeIndex base, unsigned depth) {
  Declarator result{.name = {}, .type = base};
  if (depth > kDeepest) {
    wrong("this is nested too deeply");
    return result;
  }
  qualifiers(result.attributes);
  while (!failed_ && accept("*")) {
    base = pointer(base);
    qualifiers(result.attributes);
  }
  const Token& next = peek(1);
  const bool is_nested = at("(") && (next.is("*") || next.is("(") || next.is("__attribute__") || (next.kind == TokenKind::identifier && [&] {
    ++at_;
    const bool is_type = begins_type();
    --at_;
    return !is_type;
  }()));
  if (is_nested) {
    // What follows the parentheses is applied first: its tokens are read before those inside.
    const std::size_t inside = at_ + 1;
    skip_balanced();
    base = suffixes(base, depth);
    const std::size_t behind = at_;
    at_ = inside;
    Declarator inner = declarator(base, depth + 1);
    if (!failed_ && !at(")")) wrong("expected `)` in the declaration");
    at_ = behind;
    attributes(inner.attributes);
    inner.attributes.is_packed |= result.attributes.is_packed;
    inner.attributes.align = std::max(inner.attributes.align, result.attributes.align);
    return inner;
  }
  if (peek().kind == TokenKind::identifier) result.name = tokens_[at_++].text;
  result.type = suffixes(base, depth);
  attributes(result.attributes);
  return result;
}

TypeIndex Declarations::suffixes(TypeIndex base, unsigned depth) {
  if (depth > kDeepest) {
    wrong("this is nested too deeply");
    return base;
  }
  if (at("(")) return function(base, depth + 1);
  if (!accept("[")) return base;
  Attributes ignored;
  qualifiers(ignored);
  std::uint64_t count = 0;
  if (!at("]")) count = constant_here().value_or(0);
  expect("]", "after the array's length");
  const TypeIndex element = suffixes(base, depth + 1);
  if (failed_) return base;
  complete(element);
  const std::uint64_t size = types_[resolve(element)].size;
  if (count > kBiggest || (size != 0 && count > kBiggest / size)) {
    wrong("this array is too big");
    return base;
  }
  return add({.kind = btf::Kind::array, .size = size * count, .align = align_of(element), .target = element, .count = count});
}

TypeIndex Declarations::function(TypeIndex returns, unsigned depth) {
  CType type{.kind = btf::Kind::func_proto, .target = returns};
  accept("(");
  while (!failed_ && !at(")")) {
    if (accept("...")) {
      type.is_variadic = true;
      break;
    }
    if (at("void") && peek(1).is(")")) {
      ++at_;
      break;
    }
    bool is_typedef = false;
    Attributes attributes;
    const auto base = specifiers(is_typedef, attributes);
    if (!base) break;
    Declarator parameter = declarator(*base, depth + 1);
    const CType& declared = types_[resolve(parameter.type)];
    if (declared.kind == btf::Kind::array) parameter.type = pointer(declared.target);
    else if (declared.kind == btf::Kind::func_proto) parameter.type = pointer(parameter.type);
    type.members.push_back({.name = std::move(parameter.name), .type = parameter.type});
    if (!accept(",")) break;
  }
  expect(")", "after the parameters");
  return add(std::move(type));
}

}  // namespace espy::trace::c
