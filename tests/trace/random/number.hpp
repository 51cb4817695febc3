// What integers of the tracing language give, worked out a second time: the types of operations and their values, from
// the language's rules and without the compiler's code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espy::test {

/// An integer's type.
struct Width {
  unsigned bytes = 8;
  bool is_signed = true;
  bool is_boolean = false;
  bool is_literal = false;  ///< made of literals only and not negative: it goes with either sign
  friend bool operator==(const Width&, const Width&) = default;
};

inline constexpr Width kInt64{}, kUint64{.is_signed = false}, kBool{.bytes = 1, .is_signed = false, .is_boolean = true};

/// As a cast spells it: "uint16".
std::string spelled(Width type);

/// The 64 bits that hold a value of the type: what lies above its width is zeros or copies of its sign.
std::uint64_t fitted(std::uint64_t value, Width type);

/// The type of a literal of this value, given as 64 bits with a sign.
Width literal(std::int64_t value);

/// The type that two sides of a calculation or comparison are brought to.
Width common(Width left, Width right);

/// What the sides of `c ? a : b` are brought to.
Width joined(Width left, Width right);

struct Number {
  std::uint64_t value = 0;
  Width type;
};

/// `left op right`, where op is any of + - * / % & | ^ << >> == != < <= > >=.
Number calculate(std::string_view op, Number left, Number right);

/// What it would be of, without its value.
Width type_of(std::string_view op, Width left, Width right);

/// As printf's %d shows it where the type is signed, and %u where it is not.
std::string printed(Number number);

}  // namespace espy::test
