// C's integer constant expressions; private to the folder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "trace/c/token.hpp"

namespace espy::trace::c {

struct Value {
  std::uint64_t bits = 0;     ///< sign-extended
  bool is_unsigned = false;
};

/// What names and types mean is the caller's.
struct Meaning {
  /// The value of a name; nullopt: it is no constant, and neither is the expression.
  std::function<std::optional<Value>(std::string_view name)> name;
  /// Reads a type name from `tokens` at `at`, which moves behind it: its size, and as what a cast to it converts. nullopt,
  /// `at` unmoved: none stands there. Not set: there are no types (in #if).
  struct TypeInfo {
    std::uint64_t size = 0, align = 1;
    bool is_integer = false, is_signed = false;
  };
  std::function<std::optional<TypeInfo>(std::span<const Token> tokens, std::size_t& at)> type = {};
  /// __builtin_offsetof(…), offsetof(…): reads what stands in the parentheses.
  std::function<std::optional<std::uint64_t>(std::span<const Token> tokens, std::size_t& at)> offset = {};
};

/// The value of the expression that begins at `at`, which moves behind it; nullopt: it is no integer constant.
std::optional<Value> evaluate(std::span<const Token> tokens, std::size_t& at, const Meaning& meaning);
/// The same of all tokens.
std::optional<Value> evaluate_all(std::span<const Token> tokens, const Meaning& meaning);

/// The bytes of adjacent string literals, escapes replaced.
std::string string_value(std::span<const Token> literals);

}  // namespace espy::trace::c
