// What every table of this folder does: check itself while compiling, find a row by number or by name.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace espy::facts {

/// Is row i the row of value i?
template <typename Row, std::size_t N, typename Value>
consteval bool rows_are_in_order(const std::array<Row, N>& rows, Value value) {
  for (std::size_t i = 0; i < N; ++i)
    if (static_cast<std::size_t>(value(rows[i])) != i) return false;
  return true;
}

template <typename Row, std::size_t N>
consteval bool names_are_unique(const std::array<Row, N>& rows) {
  std::array<std::string_view, N> names;
  std::ranges::transform(rows, names.begin(), &Row::name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) == names.end() && !names.front().empty();
}

template <typename Row, std::size_t N>
const Row* row_at(const std::array<Row, N>& rows, std::uint64_t index) {
  return index < N ? &rows[index] : nullptr;
}

/// The row of this name, as the row spells it or in the kernel header's capitals with its prefix.
template <typename Row, std::size_t N>
const Row* row_named(const std::array<Row, N>& rows, std::string_view name, std::string_view kernel_prefix) {
  std::string lower;
  if (name.starts_with(kernel_prefix)) {
    lower = name.substr(kernel_prefix.size());
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    name = lower;
  }
  auto found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? nullptr : &*found;
}

template <typename Row>
std::string name_or_number(const Row* row, std::string_view what, std::uint32_t number) {
  return row != nullptr ? std::string(row->name) : fmt::format("{} {}", what, number);
}

}  // namespace espy::facts
