// Words: what tables of builtins and of functions have in common, and how their rows are found.
#pragma once

#include <span>
#include <string_view>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "facts/types.hpp"

namespace espy::trace {

inline constexpr std::string_view kIntrinsic = "__builtin_";

/// A word without the prefix that the standard library's macros write.
constexpr std::string_view without_intrinsic(std::string_view name) {
  if (name.starts_with(kIntrinsic)) name.remove_prefix(kIntrinsic.size());
  return name;
}

/// The row with this name or alias, also with `__builtin_` in front; nullptr if there is none.
template <typename Row>
const Row* find_word(std::span<const Row> rows, std::string_view name) {
  name = without_intrinsic(name);
  for (const Row& row : rows) {
    if (row.name == name) return &row;
    for (std::string_view alias : split_words(row.aliases))
      if (alias == name) return &row;
  }
  return nullptr;
}

/// The first kernel that serves a row: what it says itself, else the first that has its helper; zeros: all.
template <typename Row>
facts::KernelVersion first_kernel(const Row& row) {
  if (row.since != facts::KernelVersion{} || row.helper.empty()) return row.since;
  const facts::HelperRow* helper = facts::find_helper(row.helper);
  return helper != nullptr ? helper->since : facts::KernelVersion{};
}

}  // namespace espy::trace
