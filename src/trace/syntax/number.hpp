// Integer literals: 42, 0x2a, 052, 1e6, 1_000_000, with C's suffixes (u, l, ll) or a duration's (5s is nanoseconds).
#pragma once

#include <cstdint>
#include <string_view>

namespace espy::trace {

struct Number {
  std::uint64_t value = 0;        ///< a duration's in nanoseconds
  bool is_unsigned = false;       ///< suffix u, or past int64
  std::uint32_t length = 0;       ///< bytes of text that belong to it, the letters after the digits too
  std::string_view problem = {};  ///< empty: it is a number
  std::string_view hint = {};
};

/// Reads the number that `text`, which begins with a digit, begins with.
Number read_number(std::string_view text);

}  // namespace espy::trace
