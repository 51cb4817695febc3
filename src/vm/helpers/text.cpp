// Helpers that print, and those that read numbers.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <string>

#include "vm/helpers/memory.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

// One conversion of a format: "%-08llx", "%pI4".
struct Conversion {
  std::string flags;       // with width and precision
  unsigned bits = 32;
  char letter = 0;
  std::string kind = {};   // what follows %p
};

// Reads a conversion behind its '%'. nullopt: programs may not use it.
std::optional<Conversion> conversion(std::string_view& rest) {
  Conversion found;
  const std::size_t flags = std::min(rest.find_first_not_of("-+ #0123456789."), rest.size());
  found.flags = rest.substr(0, flags);
  rest.remove_prefix(flags);
  while (!rest.empty() && (rest.front() == 'l' || rest.front() == 'h')) {
    if (rest.front() == 'l') found.bits = 64;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return std::nullopt;
  found.letter = rest.front();
  rest.remove_prefix(1);
  if (found.letter == 'p') {
    for (std::string_view kind : {"i4", "I4", "i6", "I6", "ks", "us", "K", "x", "B", "s", "S"}) {
      if (!rest.starts_with(kind)) continue;
      found.kind = kind;
      rest.remove_prefix(kind.size());
      break;
    }
  }
  return std::string_view("diuxXcsp").find(found.letter) == std::string_view::npos ? std::nullopt : std::optional(found);
}

std::string printed(const std::string& format, auto value) {
  char text[512];
  const int length = std::snprintf(text, sizeof text, format.c_str(), value);
  return std::string(text, static_cast<std::size_t>(std::clamp(length, 0, static_cast<int>(sizeof text) - 1)));
}

std::string address_text(const std::string& kind, std::uint64_t value) {
  std::byte bytes[16] = {};
  const bool four = kind[1] == '4';
  char text[INET6_ADDRSTRLEN] = {};
  if (!copy_from(bytes, value, four ? 4 : 16)) return "(efault)";
  if (kind == "i4") {   // the small i: every byte three digits, no colons
    return fmt::format("{:03}.{:03}.{:03}.{:03}", static_cast<unsigned>(bytes[0]), static_cast<unsigned>(bytes[1]), static_cast<unsigned>(bytes[2]), static_cast<unsigned>(bytes[3]));
  }
  if (kind != "i6") return ::inet_ntop(four ? AF_INET : AF_INET6, bytes, text, sizeof text);
  std::string out;
  for (std::byte b : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(b));
  return out;
}

std::string text_of(const Conversion& wanted, std::uint64_t value) {
  const std::string start = "%" + wanted.flags;
  if (wanted.letter == 's' || wanted.kind == "ks" || wanted.kind == "us") {
    char text[512] = {};
    return copy_string_from(text, sizeof text, value) < 0 ? "" : printed(start + "s", static_cast<const char*>(text));
  }
  if (wanted.kind == "i4" || wanted.kind == "I4" || wanted.kind == "i6" || wanted.kind == "I6") return address_text(wanted.kind, value);
  if (wanted.letter == 'p') return fmt::format("{:016x}", value);
  if (wanted.letter == 'c') return printed(start + "c", static_cast<int>(value & 0xff));
  if (wanted.bits == 32) return printed(start + wanted.letter, static_cast<std::uint32_t>(value));
  return printed(start + "ll" + wanted.letter, static_cast<unsigned long long>(value));
}

// nullopt: the format is none that programs may use, or wants more than it is given.
std::optional<std::string> formatted(std::string_view format, std::span<const std::uint64_t> values) {
  std::string out;
  std::size_t used = 0;
  while (!format.empty()) {
    const std::size_t plain = std::min(format.find('%'), format.size());
    if (std::ranges::any_of(format.substr(0, plain), [](char c) { return (c < ' ' && !(c >= '\t' && c <= '\r')) || c == '\x7f' || (c & 0x80) != 0; })) return std::nullopt;
    out += format.substr(0, plain);
    if (plain == format.size()) break;
    format.remove_prefix(plain + 1);
    if (format.starts_with('%')) {
      out += '%';
      format.remove_prefix(1);
      continue;
    }
    auto wanted = conversion(format);
    if (!wanted || used == values.size() || wanted->flags.size() > 8) return std::nullopt;
    out += text_of(*wanted, values[used++]);
  }
  return out;
}

std::uint64_t print(std::string_view format, std::span<const std::uint64_t> values) {
  auto text = formatted(format.substr(0, std::min(format.find('\0'), format.size())), values);
  if (!text) return result(-EINVAL);
  if (current_run()->print != nullptr) (*current_run()->print)(*text);
  return text->size();
}

std::uint64_t trace_printk(std::uint64_t format, std::uint64_t size, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const std::uint64_t values[] = {a, b, c};
  return print({pointer<const char>(format), size}, values);
}

// What a program hands over as an array: it may lie at any address.
class Values {
 public:
  Values(std::uint64_t at, std::uint64_t bytes) : bytes_(bytes) {
    if (valid(at) && bytes != 0) std::memcpy(values_.data(), pointer<void>(at), bytes);
    else if (!valid(at)) bytes_ = ~std::uint64_t{0};
  }
  bool valid() const { return bytes_ != ~std::uint64_t{0}; }
  std::span<const std::uint64_t> all() const { return std::span(values_).first(bytes_ / 8); }

 private:
  bool valid(std::uint64_t at) const { return bytes_ % 8 == 0 && bytes_ <= sizeof values_ && (bytes_ == 0 || at != 0); }
  std::array<std::uint64_t, 12> values_ = {};
  std::uint64_t bytes_;
};

std::uint64_t trace_vprintk(std::uint64_t format, std::uint64_t size, std::uint64_t values, std::uint64_t bytes, std::uint64_t) {
  const Values given(values, bytes);
  return given.valid() ? print({pointer<const char>(format), size}, given.all()) : result(-EINVAL);
}

// Gives how many bytes the whole text has with its NUL, though less may fit.
std::uint64_t print_to(std::uint64_t to, std::uint64_t size, std::uint64_t format, std::uint64_t values, std::uint64_t bytes) {
  const Values given(values, bytes);
  if (!given.valid()) return result(-EINVAL);
  auto text = formatted(pointer<const char>(format), given.all());
  if (!text) return result(-EINVAL);
  if (size != 0) {
    const std::size_t fits = std::min<std::size_t>(size - 1, text->size());
    std::memcpy(pointer<char>(to), text->data(), fits);
    pointer<char>(to)[fits] = '\0';
  }
  return text->size() + 1;
}

struct Number {
  std::uint64_t magnitude = 0;
  bool negative = false;
  long used = 0;         // bytes of text, or a negative errno
};

// As the kernel reads: spaces, a sign, "0x" or "0" for the bases 16 and 8 where the flags leave the base open.
Number number_in(std::string_view text, std::uint64_t flags, bool may_be_negative) {
  unsigned base = static_cast<unsigned>(flags & 31);
  if ((flags & ~std::uint64_t{31}) != 0 || (base != 0 && base != 8 && base != 10 && base != 16)) return {.used = -EINVAL};
  text = text.substr(0, std::min(text.find('\0'), text.size()));
  std::size_t at = std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size());
  Number number;
  if (at < text.size() && text[at] == '-') number.negative = true, ++at;
  if (number.negative && !may_be_negative) return {.used = -EINVAL};
  const bool hex = text.substr(at).starts_with("0x") || text.substr(at).starts_with("0X");
  if (base == 0) base = hex ? 16 : text.substr(at).starts_with('0') ? 8 : 10;
  if (base == 16 && hex) at += 2;
  const std::size_t first = at;
  for (; at < text.size(); ++at) {
    const char c = static_cast<char>(text[at] | 0x20);
    const unsigned digit = text[at] >= '0' && text[at] <= '9' ? static_cast<unsigned>(text[at] - '0') : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10 : 99;
    if (digit >= base) break;
    if (__builtin_mul_overflow(number.magnitude, std::uint64_t{base}, &number.magnitude) || __builtin_add_overflow(number.magnitude, std::uint64_t{digit}, &number.magnitude)) return {.used = -ERANGE};
  }
  number.used = at == first ? -EINVAL : static_cast<long>(at);
  return number;
}

std::uint64_t to_signed(std::uint64_t text, std::uint64_t size, std::uint64_t flags, std::uint64_t to, std::uint64_t) {
  Number number = number_in({pointer<const char>(text), size}, flags, true);
  if (number.used >= 0 && number.magnitude > static_cast<std::uint64_t>(LLONG_MAX) + (number.negative ? 1 : 0)) number.used = -ERANGE;
  const std::uint64_t value = number.used < 0 ? 0 : number.negative ? 0 - number.magnitude : number.magnitude;
  if (number.used >= 0) std::memcpy(pointer<void>(to), &value, 8);
  return result(number.used);
}

std::uint64_t to_unsigned(std::uint64_t text, std::uint64_t size, std::uint64_t flags, std::uint64_t to, std::uint64_t) {
  const Number number = number_in({pointer<const char>(text), size}, flags, false);
  if (number.used >= 0) std::memcpy(pointer<void>(to), &number.magnitude, 8);
  return result(number.used);
}

constexpr Helper kHelpers[] = {{6, trace_printk}, {105, to_signed}, {106, to_unsigned}, {165, print_to}, {177, trace_vprintk}};

}  // namespace

std::span<const Helper> text_helpers() { return kHelpers; }

}  // namespace espy::vm
