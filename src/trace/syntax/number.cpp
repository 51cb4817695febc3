#include "trace/syntax/number.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace espy::trace {

namespace {

struct Suffix {
  std::string_view text;
  std::uint64_t factor = 1;
  bool is_unsigned = false;
};
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::array kSuffixes = std::to_array<Suffix>({
    {""}, {"l"}, {"ll"}, {"u", 1, true}, {"ul", 1, true}, {"ull", 1, true}, {"lu", 1, true}, {"llu", 1, true},
    {"ns"}, {"us", 1'000}, {"ms", 1'000'000}, {"s", kSecond}, {"m", 60 * kSecond}, {"h", 3600 * kSecond}, {"d", 86400 * kSecond},
});

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr unsigned digit_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  return lower(c) >= 'a' && lower(c) <= 'f' ? static_cast<unsigned>(lower(c) - 'a' + 10) : 99U;
}

/// C's suffixes may be capital letters, durations not.
const Suffix* find_suffix(std::string_view text) {
  for (const Suffix& row : kSuffixes) {
    const bool is_c = row.text.find_first_not_of("ul") == std::string_view::npos;
    if (std::ranges::equal(row.text, text, {}, {}, [&](char c) { return is_c ? lower(c) : c; })) return &row;
  }
  return nullptr;
}

/// value * factor + addend; false where that is past 64 bits.
bool multiply_add(std::uint64_t& value, std::uint64_t factor, std::uint64_t addend) {
  return !__builtin_mul_overflow(value, factor, &value) && !__builtin_add_overflow(value, addend, &value);
}

}  // namespace

Number read_number(std::string_view text) {
  constexpr std::string_view kTooBig = "this number does not fit 64 bits";
  Number number;
  const auto wrong = [&](std::string_view problem, std::string_view hint = {}) {
    if (number.problem.empty()) number.problem = problem, number.hint = hint;
  };
  std::uint64_t value = 0;
  std::size_t at = 0, digits = 0;
  unsigned base = 10;
  if (text.size() > 1 && text[0] == '0' && lower(text[1]) == 'x') base = 16, at = 2;
  else if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) base = 8, at = 1;
  for (; at < text.size() && (digit_value(text[at]) < std::max(base, 10U) || text[at] == '_'); ++at) {
    if (text[at] == '_') continue;
    ++digits;
    if (digit_value(text[at]) >= base) wrong("this digit is not octal", "a number that begins with 0 is octal");
    if (!multiply_add(value, base, digit_value(text[at]))) wrong(kTooBig);
  }
  if (digits == 0) wrong("`0x` needs hexadecimal digits after it");
  if (base == 10 && at + 1 < text.size() && lower(text[at]) == 'e' && is_digit(text[at + 1])) {
    unsigned exponent = 0;
    for (++at; at < text.size() && is_digit(text[at]); ++at) exponent = std::min(exponent * 10 + digit_value(text[at]), 100U);
    for (; exponent > 0 && value != 0; --exponent) {
      if (!multiply_add(value, 10, 0)) wrong(kTooBig), value = 0;
    }
  }
  std::size_t stop = at;
  while (stop < text.size() && (is_digit(text[stop]) || text[stop] == '_' || (lower(text[stop]) >= 'a' && lower(text[stop]) <= 'z'))) ++stop;
  if (const Suffix* suffix = find_suffix(text.substr(at, stop - at))) {
    if (!multiply_add(value, suffix->factor, 0)) wrong(kTooBig);
    number.is_unsigned = suffix->is_unsigned;
  } else {
    wrong("this number ends in letters that mean nothing", "known are u, l, ul, ull, and the durations ns, us, ms, s, m, h, d");
  }
  number.value = value;
  number.is_unsigned |= value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  number.length = static_cast<std::uint32_t>(stop);
  return number;
}

}  // namespace espy::trace
