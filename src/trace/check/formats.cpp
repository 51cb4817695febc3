// Format strings of printf and its kin: taken apart while compiling, so that nothing is left to go wrong at run time.
#include <algorithm>
#include <array>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

constexpr std::string_view kFlags = "-+ #0'";
constexpr std::string_view kLengths[] = {"hh", "ll", "h", "l", "j", "z", "t", "q"};
constexpr std::string_view kIntegers = "diuxXocpb";

bool prints_as_text(const Type& type) {
  switch (type.kind) {
    case Kind::string: case Kind::boolean: case Kind::enumeration: case Kind::tuple: case Kind::record: case Kind::structure: case Kind::array:
    case Kind::buffer: case Kind::inet: case Kind::mac: case Kind::ksym: case Kind::usym: case Kind::kstack: case Kind::ustack:
    case Kind::username: case Kind::timestamp: case Kind::cgroup_path: case Kind::gfp_flags: case Kind::strerror: case Kind::signal_name:
    case Kind::syscall_name: case Kind::probe_name:
      return true;
    default: return false;
  }
}

bool prints_as_number(const Type& type) {
  return is_number(type) || type.kind == Kind::ksym || type.kind == Kind::strerror || type.kind == Kind::signal_name ||
         type.kind == Kind::syscall_name || type.kind == Kind::gfp_flags || type.kind == Kind::username;
}

}  // namespace

ParsedFormat parse_format_string(std::string_view format) {
  ParsedFormat out;
  std::string literal;
  std::size_t at = 0;
  const auto wrong = [&](std::string message) {
    out.problem = std::move(message);
    return out;
  };
  while (at < format.size()) {
    if (format[at] != '%') {
      literal += format[at++];
      continue;
    }
    const std::size_t begin = at++;
    if (at < format.size() && format[at] == '%') {
      literal += '%';
      ++at;
      continue;
    }
    FormatPiece piece{.literal = std::move(literal)};
    literal.clear();
    const auto digits = [&] {
      const std::size_t from = at;
      while (at < format.size() && format[at] >= '0' && format[at] <= '9') ++at;
      return at - from <= 4;
    };
    while (at < format.size() && kFlags.find(format[at]) != std::string_view::npos) ++at;
    if (at < format.size() && format[at] == '*') return wrong("`*` is not allowed in a format: write the width out");
    bool fits = digits();
    if (at < format.size() && format[at] == '.') ++at, fits &= digits();
    if (!fits) return wrong("this width is too large");
    piece.flags = format.substr(begin + 1, at - begin - 1);
    const std::size_t conversion = at;
    for (std::string_view length : kLengths)
      if (format.substr(at).starts_with(length)) {
        at += length.size();
        break;
      }
    if (at >= format.size()) return wrong("the format ends within a `%`");
    const char kind = format[at++];
    if (kind == 'r' && at < format.size() && (format[at] == 'x' || format[at] == 'h')) ++at;
    if (kind == 'g') {
      if (at >= format.size() || format[at] != 'r') return wrong("`%g` is not known; for allocation flags there is `%gr`");
      ++at;
    }
    if (kIntegers.find(kind) == std::string_view::npos && kind != 's' && kind != 'r' && kind != 'g')
      return wrong("`%" + std::string(1, kind) + "` is not known");
    piece.conversion = format.substr(conversion, at - conversion);
    out.pieces.push_back(std::move(piece));
  }
  if (!literal.empty()) out.pieces.push_back({.literal = std::move(literal)});
  return out;
}

std::string_view conversion_takes(std::string_view conversion, const Type& type) {
  if (is_unknown(type)) return {};
  if (conversion.ends_with("gr")) return is_integer_like(type) ? std::string_view{} : "an integer";
  if (conversion == "r" || conversion == "rx" || conversion == "rh") return type.kind == Kind::buffer ? std::string_view{} : "a buffer, as buf() gives";
  if (conversion.ends_with('s')) return prints_as_text(type) ? std::string_view{} : "a string or what is printed as one";
  return prints_as_number(type) ? std::string_view{} : "a number";
}

}  // namespace espy::trace
