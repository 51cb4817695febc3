// The words of assembly text: one line at a time, views into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espy::isa {

enum class TokenKind : std::uint8_t {
  word,      ///< a name, register, keyword: letters, digits, `_ . $`, not beginning with a digit
  number,    ///< decimal or 0x-hexadecimal, without sign
  string,    ///< "…"
  op,        ///< `s>>=`, `(`, `+`
  unknown,   ///< a character that means nothing here, or a string without its end
  end,       ///< behind the last
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;      ///< as written; a string with its quotes
  std::uint32_t column = 1;   ///< of its first byte, from 1
};

/// Splits a line; a comment (`;`, `//`, or `#` that does not stand at the end of a word) ends it. The last token is `end`.
void tokenize(std::string_view line, std::vector<Token>& tokens);

/// A name as the text spells it: in quotes unless it is a plain word, or always when told to.
std::string quoted(std::string_view name, bool always = false);

/// The characters of a string token: \" \\ \n \t \xHH undone.
std::string unquote(std::string_view text);

}  // namespace espy::isa
