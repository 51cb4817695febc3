// Rust's names. v0 (https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html) is a grammar whose productions
// are told by their first letter, printed while it is read, in one pass: a back reference is a jump to what was read before.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "symbol/demangle.hpp"
#include "symbol/demangle_limits.hpp"
#include "symbol/demangle_rust_legacy.hpp"
#include "symbol/punycode.hpp"

namespace espy::symbol {

namespace {

constexpr std::array<std::string_view, 26> kBasicTypes{
    "i8", "bool", "char", "f64", "str", "f32", "", "u8", "isize", "usize", "", "i32", "u32",
    "i128", "u128", "_", "", "", "i16", "u16", "()", "...", "", "i64", "u64", "!"};

// The reader of one v0 name. Every function returns false when the name is broken; what was printed until then is dropped.
class V0 {
 public:
  explicit V0(std::string_view text) : text_(text) {}   // after "_R"

  std::optional<std::string> read() {
    if (!path(true)) return std::nullopt;
    if (at_ < text_.size()) {                            // the crate that instantiated it
      silent_ = true;
      if (!path(false)) return std::nullopt;
    }
    if (at_ != text_.size()) return std::nullopt;
    return std::move(out_);
  }

 private:
  // Counts depth and steps while one production is read.
  struct Nested {
    explicit Nested(V0& reader) : reader_(reader) { ++reader_.depth_, ++reader_.steps_; }
    ~Nested() { --reader_.depth_; }
    bool allowed() const { return reader_.depth_ < kDemangleDepth && reader_.steps_ < kDemangleSteps && reader_.out_.size() < kDemangledLimit; }
    V0& reader_;
  };

  char next() { return at_ < text_.size() ? text_[at_++] : '\0'; }
  bool eat(char c) { return at_ < text_.size() && text_[at_] == c ? (++at_, true) : false; }
  void print(std::string_view text) {
    if (!silent_) out_ += text;
  }

  // "_" is 0, "0_" 1, "Z_" 62: digits 0-9 a-z A-Z.
  std::optional<std::uint64_t> base62() {
    if (eat('_')) return 0;
    std::uint64_t value = 0;
    for (;;) {
      char c = next();
      std::uint64_t digit = 0;
      if (c == '_') return value == UINT64_MAX ? std::nullopt : std::optional(value + 1);
      if (c >= '0' && c <= '9') digit = static_cast<std::uint64_t>(c - '0');
      else if (c >= 'a' && c <= 'z') digit = static_cast<std::uint64_t>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'Z') digit = static_cast<std::uint64_t>(c - 'A') + 36;
      else return std::nullopt;
      if (value > (UINT64_MAX - digit) / 62) return std::nullopt;
      value = value * 62 + digit;
    }
  }
  // A number that may be left out; then it is 0, and one more than written otherwise.
  std::optional<std::uint64_t> optional_base62(char tag) {
    if (!eat(tag)) return 0;
    auto value = base62();
    if (!value || *value == UINT64_MAX) return std::nullopt;
    return *value + 1;
  }

  struct Identifier {
    std::string text;
    std::uint64_t number = 0;
  };
  std::optional<std::string> undisambiguated() {
    const bool punycode = eat('u');
    std::size_t size = 0, digits = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && size <= kMangledLimit && (size != 0 || at_ == digits))
      size = size * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    if (at_ == digits) return std::nullopt;
    eat('_');
    if (size > text_.size() - at_) return std::nullopt;
    std::string_view bytes = text_.substr(at_, size);
    at_ += size;
    if (!punycode) return std::string(bytes);
    auto decoded = decode_punycode(bytes);
    return decoded ? *decoded : fmt::format("punycode{{{}}}", bytes);
  }
  std::optional<Identifier> identifier() {
    auto number = optional_base62('s');
    if (!number) return std::nullopt;
    auto text = undisambiguated();
    if (!text) return std::nullopt;
    return Identifier{std::move(*text), *number};
  }

  // Reads at an earlier place, then goes on here.
  template <typename Production>
  bool back_reference(Production production) {
    const std::size_t here = at_ - 1;   // of the 'B'
    auto target = base62();
    if (!target || *target >= here) return false;
    if (silent_) return true;           // it was well-formed when it was read
    const std::size_t resume = std::exchange(at_, static_cast<std::size_t>(*target));
    const bool good = production();
    at_ = resume;
    return good;
  }

  // Items up to 'E'; their number, or nullopt.
  template <typename Item>
  std::optional<std::size_t> list(std::string_view separator, Item item) {
    std::size_t count = 0;
    for (; !eat('E'); ++count) {
      if (at_ == text_.size()) return std::nullopt;
      if (count > 0) print(separator);
      if (!item()) return std::nullopt;
    }
    return count;
  }

  bool path(bool in_value);
  bool nested_path(bool in_value);
  bool impl_path();
  bool generic_arguments();
  bool generic_argument();
  bool type();
  bool function_type();
  bool dyn_type();
  bool dyn_trait();
  bool constant();
  bool integer(char kind);
  bool lifetime(std::uint64_t index);
  template <typename Inner>
  bool binder(Inner inner);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  bool silent_ = false;
  unsigned depth_ = 0, steps_ = 0;
  std::uint64_t bound_ = 0;             // lifetimes that binders around have named
};

bool V0::nested_path(bool in_value) {
  char space = next();
  if (!((space >= 'a' && space <= 'z') || (space >= 'A' && space <= 'Z')) || !path(in_value)) return false;
  auto name = identifier();
  if (!name) return false;
  if (space >= 'a') {                   // types, values and the like need no mark
    if (!name->text.empty()) print("::"), print(name->text);
    return true;
  }
  print("::{");
  print(space == 'C' ? "closure" : space == 'S' ? "shim" : std::string_view(&space, 1));
  if (!name->text.empty()) print(":"), print(name->text);
  print(fmt::format("#{}}}", name->number));
  return true;
}

// Where an impl block stands says nothing to a reader.
bool V0::impl_path() {
  const bool was_silent = std::exchange(silent_, true);
  const bool good = optional_base62('s') && path(false);
  silent_ = was_silent;
  return good;
}

bool V0::path(bool in_value) {
  Nested nested(*this);
  if (!nested.allowed()) return false;
  switch (next()) {
    case 'C': {
      auto crate = identifier();
      if (crate) print(crate->text);
      return crate.has_value();
    }
    case 'N': return nested_path(in_value);
    case 'M':
      if (!impl_path()) return false;
      print("<");
      if (!type()) return false;
      return print(">"), true;
    case 'X':
      if (!impl_path()) return false;
      [[fallthrough]];
    case 'Y':
      print("<");
      if (!type()) return false;
      print(" as ");
      if (!path(false)) return false;
      return print(">"), true;
    case 'I':
      if (!path(in_value)) return false;
      if (in_value) print("::");
      return generic_arguments();
    case 'B': return back_reference([&] { return path(in_value); });
    default: return false;
  }
}

bool V0::generic_arguments() {
  print("<");
  if (!list(", ", [&] { return generic_argument(); })) return false;
  return print(">"), true;
}

bool V0::generic_argument() {
  if (eat('K')) return constant();
  if (!eat('L')) return type();
  auto index = base62();
  return index && lifetime(*index);
}

// De Bruijn: 1 is the innermost bound lifetime. The outermost is printed 'a.
bool V0::lifetime(std::uint64_t index) {
  if (index == 0) return print("'_"), true;
  if (index > bound_) return false;
  const std::uint64_t depth = bound_ - index;
  print(depth < 26 ? fmt::format("'{}", static_cast<char>('a' + depth)) : fmt::format("'_{}", depth));
  return true;
}

template <typename Inner>
bool V0::binder(Inner inner) {
  auto count = optional_base62('G');
  if (!count || *count > 64) return false;
  if (*count > 0) {
    print("for<");
    for (std::uint64_t i = 0; i < *count; ++i) {
      if (i > 0) print(", ");
      ++bound_;
      if (!lifetime(1)) return false;
    }
    print("> ");
  }
  const bool good = inner();
  bound_ -= *count;
  return good;
}

bool V0::type() {
  Nested nested(*this);
  if (!nested.allowed()) return false;
  const char tag = next();
  if (tag >= 'a' && tag <= 'z') {
    std::string_view name = kBasicTypes[static_cast<std::size_t>(tag - 'a')];
    return print(name), !name.empty();
  }
  switch (tag) {
    case 'R':
    case 'Q':
      print("&");
      if (eat('L')) {
        auto index = base62();
        if (!index || (*index != 0 && !lifetime(*index))) return false;
        if (*index != 0) print(" ");
      }
      if (tag == 'Q') print("mut ");
      return type();
    case 'P': return print("*const "), type();
    case 'O': return print("*mut "), type();
    case 'A':
    case 'S':
      print("[");
      if (!type()) return false;
      if (tag == 'A' && (print("; "), !constant())) return false;
      return print("]"), true;
    case 'T': {
      print("(");
      auto count = list(", ", [&] { return type(); });
      print(count == 1 ? ",)" : ")");
      return count.has_value();
    }
    case 'F': return binder([&] { return function_type(); });
    case 'D': return dyn_type();
    case 'B': return back_reference([&] { return type(); });
    default: return --at_, path(false);
  }
}

bool V0::function_type() {
  if (eat('U')) print("unsafe ");
  if (eat('K')) {
    std::optional<std::string> abi = eat('C') ? std::optional<std::string>("C") : undisambiguated();
    if (!abi) return false;
    std::ranges::replace(*abi, '_', '-');
    print("extern \""), print(*abi), print("\" ");
  }
  print("fn(");
  if (!list(", ", [&] { return type(); })) return false;
  print(")");
  if (eat('u')) return true;            // returns ()
  return print(" -> "), type();
}

bool V0::dyn_type() {
  print("dyn ");
  if (!binder([&] { return list(" + ", [&] { return dyn_trait(); }).has_value(); }) || !eat('L')) return false;
  auto index = base62();
  if (!index) return false;
  return *index == 0 || (print(" + "), lifetime(*index));
}

// A trait with bindings of its associated types: Iterator<Item = u8>. They join the generic arguments it already has.
bool V0::dyn_trait() {
  const std::size_t begin = out_.size();
  if (!path(false)) return false;
  bool open = false;
  while (eat('p')) {
    if (!open && !silent_ && out_.size() > begin && out_.back() == '>' && out_[begin] != '<') out_.pop_back(), print(", ");
    else print(open ? ", " : "<");
    open = true;
    auto name = undisambiguated();
    if (!name) return false;
    print(*name), print(" = ");
    if (!type()) return false;
  }
  if (open) print(">");
  return true;
}

bool V0::integer(char kind) {
  const bool is_signed = std::string_view("aslxni").find(kind) != std::string_view::npos;
  if (is_signed && eat('n')) print("-");
  const std::size_t begin = at_;
  while (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || (text_[at_] >= 'a' && text_[at_] <= 'f'))) ++at_;
  std::string_view digits = text_.substr(begin, at_ - begin);
  if (!eat('_')) return false;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 16) return print("0x"), print(digits), kind != 'b' && kind != 'c';
  std::uint64_t value = 0;
  for (char c : digits) value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  if (kind == 'b') return value < 2 && (print(value != 0 ? "true" : "false"), true);
  if (kind == 'c') {
    std::string character = "'";
    if (value == '\'' || value == '\\') character += '\\';
    if (value < 0x20 || value == 0x7f) character += fmt::format("\\u{{{:x}}}", value);
    else if (value > 0x10ffff || !append_utf8(character, static_cast<char32_t>(value))) return false;
    return print(character + "'"), true;
  }
  return print(fmt::format("{}", value)), true;
}

bool V0::constant() {
  Nested nested(*this);
  if (!nested.allowed()) return false;
  if (eat('B')) return back_reference([&] { return constant(); });
  const char kind = next();
  if (kind == 'p') return print("_"), true;
  if (kind == '\0' || std::string_view("aslxnihtmyojbc").find(kind) == std::string_view::npos) return false;
  return integer(kind);
}

}  // namespace

std::optional<std::string> demangle_rust(std::string_view name) {
  if (name.size() > kMangledLimit) return std::nullopt;
  // What LLVM appended says nothing; other suffixes (".cold") are kept as they are.
  name = name.substr(0, name.find(".llvm."));
  if (name.starts_with("_R")) {
    std::size_t dot = std::min(name.find('.'), name.size());
    std::string_view body = name.substr(2, dot - 2);
    if (body.empty() || (body.front() >= '0' && body.front() <= '9')) return std::nullopt;   // of an encoding yet to come
    auto text = V0(body).read();
    if (text) *text += name.substr(dot);
    return text;
  }
  if (!name.starts_with("_ZN")) return std::nullopt;
  std::size_t end = name.rfind('E');
  if (end == name.npos || (end + 1 < name.size() && name[end + 1] != '.')) return std::nullopt;
  auto text = demangle_rust_legacy(name.substr(3, end - 2));
  if (text) *text += name.substr(end + 1);
  return text;
}

}  // namespace espy::symbol
