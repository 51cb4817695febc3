// Text: the few operations on strings that every floor needs.
#pragma once

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace espy {

/// Calls one of several lambdas by the type a variant holds: `std::visit(overload{[](A){…}, [](B){…}}, v)`.
template <typename... Functions>
struct overload : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
overload(Functions...) -> overload<Functions...>;

/// Removes white space at both ends.
std::string_view trim(std::string_view text);

/// Splits at every `separator`; keeps empty fields. "a,,b" has three fields, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Splits at runs of white space; no empty fields.
std::vector<std::string_view> split_words(std::string_view text);

/// A whole integer, decimal or 0x-hexadecimal, with an optional sign where T is signed; nullopt if anything is left over.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  bool negative = false;
  if constexpr (std::is_signed_v<T>) {
    if (text.starts_with('-')) negative = true, text.remove_prefix(1);
  }
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16, text.remove_prefix(2);
  if (text.empty() || text.front() == '-') return std::nullopt;
  // The sign was taken off, so the magnitude is read unsigned and must fit.
  std::make_unsigned_t<T> magnitude{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_signed_v<T>) {
    auto limit = static_cast<std::make_unsigned_t<T>>(std::numeric_limits<T>::max()) + (negative ? 1U : 0U);
    if (magnitude > limit) return std::nullopt;
    value = static_cast<T>(negative ? -magnitude : magnitude);
  } else {
    value = magnitude;
  }
  return value;
}

/// Does `text` match a shell-style pattern of `*` and `?`?
bool glob_match(std::string_view pattern, std::string_view text);

/// The candidate nearest to `wanted` by edit distance, if near enough to suggest ("did you mean `pid`?"); else empty.
std::string_view nearest(std::string_view wanted, const std::vector<std::string_view>& candidates);

}  // namespace espy
