#include "trace/c/declare.hpp"

#include <fmt/format.h>

#include "btf/builder.hpp"

namespace espy::trace::c {

namespace {

constexpr unsigned kMostErrors = 20;
constexpr std::size_t kMostTypes = 1000000;

struct BasicRow {
  std::string_view name;
  std::uint32_t bytes;
  bool is_signed, is_char, is_bool, is_float;
};
constexpr std::array kBasics = std::to_array<BasicRow>({
    {"char", 1, true, true, false, false}, {"signed char", 1, true, false, false, false}, {"unsigned char", 1, false, false, false, false},
    {"short", 2, true, false, false, false}, {"unsigned short", 2, false, false, false, false}, {"int", 4, true, false, false, false},
    {"unsigned int", 4, false, false, false, false}, {"long", 8, true, false, false, false}, {"unsigned long", 8, false, false, false, false},
    {"long long", 8, true, false, false, false}, {"unsigned long long", 8, false, false, false, false}, {"__int128", 16, true, false, false, false},
    {"unsigned __int128", 16, false, false, false, false}, {"_Bool", 1, false, false, true, false}, {"float", 4, true, false, false, true},
    {"double", 8, true, false, false, true}, {"long double", 16, true, false, false, true},
});

}  // namespace

Declarations::Declarations(std::span<const Token> tokens, const Options& options, Diagnostics& diagnostics)
    : tokens_(tokens), options_(options), diagnostics_(diagnostics) {
  types_.emplace_back();  // void
}

const Token& Declarations::peek(std::size_t ahead) const {
  static const Token kEnd = {};
  return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : kEnd;
}

bool Declarations::accept(std::string_view text) {
  if (!at(text)) return false;
  ++at_;
  return true;
}

bool Declarations::expect(std::string_view text, std::string_view where) {
  if (accept(text)) return true;
  if (peek().kind == TokenKind::end) wrong(fmt::format("expected `{}` {}, found the end", text, where));
  else wrong(fmt::format("expected `{}` {}, found `{}`", text, where, peek().text.substr(0, 60)));
  return false;
}

/// The first of a declaration; a system header's are nobody's business.
void Declarations::wrong(std::string message, std::string hint) {
  if (failed_) return;
  failed_ = true;
  const Token& token = tokens_.empty() ? peek() : tokens_[std::min(at_, tokens_.size() - 1)];
  if (!token.is_system && ++errors_ <= kMostErrors) diagnostics_.error(token.at, std::move(message), std::move(hint));
}

void Declarations::file() {
  while (at_ < tokens_.size() && types_.size() < kMostTypes) {
    failed_ = false;
    depth_ = braces_ = 0;
    const std::size_t before = at_;
    if (accept(";")) continue;
    if (peek().kind == TokenKind::pack) {
      pack_ = tokens_[at_++].value;
      continue;
    }
    if (at("_Static_assert") || at("__asm__") || at("asm")) recover();
    else declaration();
    if (failed_) recover();
    if (at_ == before) ++at_;
  }
}

/// To behind the next `;`, or the `}` that ends a function, with all brackets in pairs.
void Declarations::recover() {
  while (at_ < tokens_.size()) {
    if (braces_ == 0 && accept(";")) return;
    const bool is_brace = at("{");
    if (at("}") && braces_ > 0) --braces_;
    if (is_brace || at("(") || at("[")) skip_balanced();
    else ++at_;
    if (is_brace && braces_ == 0 && !at(";") && peek().kind != TokenKind::punctuation && !at("__attribute__")) return;
  }
}

void Declarations::skip_balanced() {
  unsigned open = 0;
  do {
    const Token& token = tokens_[at_++];
    if (token.kind != TokenKind::punctuation) continue;
    switch (token.text[0]) {
      case '(': case '[': case '{': ++open; break;
      case ')': case ']': case '}': open -= open > 0 ? 1U : 0U; break;
      default: break;
    }
  } while (open > 0 && at_ < tokens_.size());
}

void Declarations::declaration() {
  bool is_typedef = false;
  Attributes attributes;
  const auto base = specifiers(is_typedef, attributes);
  if (!base) return;
  if (accept(";")) return;
  // Scripts may leave the `;` behind a definition away: `struct S { int x; }` before the next one, or before the probes.
  if (!is_typedef && at_ > 0 && tokens_[at_ - 1].is("}") &&
      (at_ >= tokens_.size() || at("struct") || at("union") || at("enum") || at("typedef")))
    return;
  do {
    const Declarator declared = declarator(*base, 0);
    if (failed_) return;
    const bool is_function = types_[resolve(declared.type)].kind == btf::Kind::func_proto;
    if (is_function && at("{")) return skip_balanced();
    if (is_typedef && !declared.name.empty()) {
      const std::uint32_t align = std::max(attributes.align, declared.attributes.align);
      typedefs_[declared.name] = add({.kind = btf::Kind::typedef_, .name = declared.name, .align = align, .target = declared.type});
    }
    if (accept("=")) {  // an initial value
      while (at_ < tokens_.size() && !at(";") && !at(",")) {
        if (at("{") || at("(") || at("[")) skip_balanced();
        else ++at_;
      }
    }
  } while (accept(","));
  expect(";", "after the declaration");
}

// ---- constants ----

Meaning Declarations::meaning() {
  Meaning meaning;
  meaning.name = [this](std::string_view name) -> std::optional<Value> {
    const auto found = enumerators_.find(name);
    return found == enumerators_.end() ? std::nullopt : std::optional(found->second);
  };
  meaning.type = [this](std::span<const Token> tokens, std::size_t& at) -> std::optional<Meaning::TypeInfo> {
    // Types are parsed where the tokens are; names are all that is looked up.
    const auto outer_tokens = tokens_;
    const std::size_t outer_at = at_;
    tokens_ = tokens, at_ = at;
    std::optional<Meaning::TypeInfo> info;
    if (begins_type() && depth_ < 100) {
      ++depth_;
      bool is_typedef = false;
      Attributes attributes;
      if (const auto base = specifiers(is_typedef, attributes)) {
        const TypeIndex declared = declarator(*base, 0).type;
        complete(declared);
        const CType& type = types_[resolve(declared)];
        const bool is_integer = type.kind == btf::Kind::int_ || type.kind == btf::Kind::enum_ || type.kind == btf::Kind::ptr;
        if (!failed_) info = Meaning::TypeInfo{type.size, align_of(declared), is_integer && type.size <= 8 && type.size > 0, type.is_signed};
      }
      --depth_;
    }
    if (info) at = at_;
    tokens_ = outer_tokens, at_ = outer_at;
    return info;
  };
  meaning.offset = [this](std::span<const Token> tokens, std::size_t& at) -> std::optional<std::uint64_t> {
    const Meaning inner = this->meaning();
    const std::size_t begin = at;
    if (!inner.type(tokens, at)) return std::nullopt;
    bool is_typedef = false;
    Attributes attributes;
    const auto outer_tokens = tokens_;
    const std::size_t outer_at = at_;
    tokens_ = tokens, at_ = begin;
    const auto base = specifiers(is_typedef, attributes);
    tokens_ = outer_tokens, at_ = outer_at;
    if (!base || at + 1 >= tokens.size() || !tokens[at].is(",")) return std::nullopt;
    const std::string_view field = tokens[at + 1].text;
    at += 2;
    for (const CMember& member : types_[resolve(*base)].members) {
      if (member.name == field) return member.bit_offset / 8;
    }
    return std::nullopt;
  };
  return meaning;
}

std::optional<Value> Declarations::constant(std::span<const Token> tokens) {
  depth_ = 0;
  failed_ = false;
  errors_ = kMostErrors;  // what is wrong in a #define that nobody may use is not worth a word
  return evaluate_all(tokens, meaning());
}

/// Moves behind the expression. A place of its own, because reading a type name inside it uses at_.
std::optional<Value> Declarations::constant_value() {
  std::size_t behind = at_;
  const auto value = evaluate(tokens_, behind, meaning());
  at_ = std::min(behind, tokens_.size());
  return value;
}

std::optional<std::uint64_t> Declarations::constant_here() {
  const auto value = constant_value();
  if (!value) wrong("this is no integer constant");
  return value ? std::optional(value->bits) : std::nullopt;
}

// ---- types ----

TypeIndex Declarations::add(CType type) {
  types_.push_back(std::move(type));
  return static_cast<TypeIndex>(types_.size() - 1);
}

TypeIndex Declarations::basic(std::string_view name) {
  if (name == "void") return 0;
  const auto known = basics_.find(name);
  if (known != basics_.end()) return known->second;
  const auto* row = std::ranges::find(kBasics, name, &BasicRow::name);
  if (row == kBasics.end()) return 0;
  const TypeIndex index = add({.kind = row->is_float ? btf::Kind::float_ : btf::Kind::int_, .name = std::string(name), .size = row->bytes, .align = row->bytes,
                               .is_signed = row->is_signed, .is_bool = row->is_bool, .is_char = row->is_char});
  basics_.emplace(name, index);
  return index;
}

TypeIndex Declarations::pointer(TypeIndex to) {
  const auto [known, is_new] = pointers_.try_emplace(to, static_cast<TypeIndex>(types_.size()));
  if (is_new) add({.kind = btf::Kind::ptr, .size = 8, .align = 8, .target = to});
  return known->second;
}

/// A typedef has no size of its own, and an alignment only where it asks for one.
std::uint32_t Declarations::align_of(TypeIndex type) const {
  while (types_[type].kind == btf::Kind::typedef_ && types_[type].foreign == btf::kVoid && types_[type].align == 0) type = types_[type].target;
  return types_[type].align;
}

TypeIndex Declarations::resolve(TypeIndex type) const {
  while (types_[type].kind == btf::Kind::typedef_ && types_[type].foreign == btf::kVoid) type = types_[type].target;
  return type;
}

/// A type of the kernel's, as one of ours.
std::optional<TypeIndex> Declarations::kernel_type(std::string_view name, btf::Kind kind) {
  if (!options_.kernel) return std::nullopt;
  const auto found = options_.kernel->find(name, kind);
  if (!found) return std::nullopt;
  const auto size = options_.kernel->size_of(found->id());
  const auto align = options_.kernel->align_of(found->id());
  const btf::Type real = options_.kernel->resolve(found->id());
  const bool is_integer = real.kind() == btf::Kind::int_ || real.kind() == btf::Kind::enum_;
  CType type{.kind = is_integer ? btf::Kind::int_ : kind, .name = std::string(name), .size = size.value_or(0),
             .align = std::max(align.value_or(1), 1U), .is_signed = real.is_signed(), .foreign = found->id()};
  return add(std::move(type));
}

}  // namespace espy::trace::c
