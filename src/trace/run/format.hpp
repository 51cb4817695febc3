// printf: format pieces and a record's bytes → text.
//
// A Format is made once from the plan; formatting then walks its directives, appends to one buffer and allocates nothing.
// What a directive means follows C, with these differences: integers are 64 bits wide unless the directive has a length
// (`%hhd`), `%s` shows any value as print() does, `%r`, `%rx`, `%rh` show buffers, `%gr` flags of an allocation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "trace/plan.hpp"
#include "trace/run/names.hpp"

namespace espy::trace::run {

class Format {
 public:
  Format() = default;
  /// The i-th piece with a conversion takes the i-th argument. Pieces without an argument, and conversions that nobody
  /// knows, show themselves as they were written.
  Format(const std::vector<FormatPiece>& pieces, const std::vector<Field>& arguments);

  /// Appends the text of a record. Arguments beyond the end of `record` are zero.
  void append(Bytes record, Names& names, std::string& out) const;

 private:
  enum class Conversion : std::uint8_t { none, signed_, unsigned_, octal, hex, hex_upper, character, address, any, buffer, buffer_escaped, buffer_hex, gfp };

  struct Directive {
    std::string literal;               // before the value
    Conversion conversion = Conversion::none;
    bool left = false, plus = false, space = false, alternate = false, zero = false;
    bool plain = true;                 // no width, precision or flag: the quick way
    std::uint8_t bytes = 8;            // of an integer, by the length modifier
    std::uint32_t width = 0;
    std::int32_t precision = -1;
    std::uint32_t offset = 0;
    Type type;
  };

  static Directive read(const FormatPiece& piece);
  static void append_one(const Directive& directive, Bytes record, Names& names, std::string& out);
  static void append_integer(const Directive& directive, std::int64_t value, std::string& out);

  std::vector<Directive> directives_;
};

}  // namespace espy::trace::run
