// The words of the text form: views into it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace espy::ir {

enum class TokenKind : std::uint8_t {
  word,     ///< a name, an operation with its suffixes: letters, digits, `_ . $`, not beginning with a digit
  number,   ///< decimal or 0x-hexadecimal, without sign
  string,   ///< "…", its quotes off; escapes are still there
  op,       ///< one of `( ) [ ] { } : , = @ + -`, or `->`, or `..`
  unknown,  ///< what means nothing here
  end,      ///< behind the last
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;
  std::uint32_t line = 1, column = 1;   ///< both from 1
};

/// All tokens; the last is `end`.
std::vector<Token> lex(std::string_view text);

}  // namespace espy::ir
