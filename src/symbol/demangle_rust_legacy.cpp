#include "symbol/demangle_rust_legacy.hpp"

#include <cstdint>
#include <vector>

#include "base/text.hpp"
#include "symbol/demangle_limits.hpp"
#include "symbol/punycode.hpp"

namespace espy::symbol {

namespace {

struct Escape {
  std::string_view code, text;
};
constexpr Escape kEscapes[] = {{"SP", "@"}, {"BP", "*"}, {"RF", "&"}, {"LT", "<"}, {"GT", ">"}, {"LP", "("}, {"RP", ")"}, {"C", ","}};

bool unescape(std::string& out, std::string_view code) {
  for (const Escape& escape : kEscapes)
    if (escape.code == code) return out += escape.text, true;
  if (!code.starts_with('u') || code.size() < 2 || code.size() > 7) return false;
  auto value = parse_number<std::uint32_t>("0x" + std::string(code.substr(1)));
  return value && *value >= 0x20 && append_utf8(out, *value);
}

bool append_legacy_part(std::string& out, std::string_view part) {
  if (part.starts_with("_$")) part.remove_prefix(1);
  while (!part.empty()) {
    if (part.starts_with("..")) {
      out += "::", part.remove_prefix(2);
    } else if (part.front() == '$') {
      std::size_t end = part.find('$', 1);
      if (end == part.npos || !unescape(out, part.substr(1, end - 1))) return false;
      part.remove_prefix(end + 1);
    } else {
      out += part.front(), part.remove_prefix(1);
    }
  }
  return true;
}

bool is_hash(std::string_view part) {
  return part.size() == 17 && part.front() == 'h' && part.find_first_not_of("0123456789abcdef", 1) == part.npos;
}

}  // namespace

std::optional<std::string> demangle_rust_legacy(std::string_view rest) {
  std::vector<std::string_view> parts;
  while (!rest.empty() && rest.front() != 'E') {
    std::size_t size = 0, digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9' && size <= kMangledLimit; ++digits)
      size = size * 10 + static_cast<std::size_t>(rest[digits] - '0');
    if (size == 0 || size > rest.size() - digits) return std::nullopt;
    parts.push_back(rest.substr(digits, size));
    rest.remove_prefix(digits + size);
  }
  if (rest != "E" || parts.size() < 2 || !is_hash(parts.back())) return std::nullopt;
  parts.pop_back();
  std::string out;
  for (std::string_view part : parts) {
    if (!out.empty()) out += "::";
    if (!append_legacy_part(out, part)) return std::nullopt;
  }
  return out;
}

}  // namespace espy::symbol
