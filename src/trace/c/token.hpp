// C's tokens, as far as declarations need them; private to the folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trace/syntax/source.hpp"

namespace espy::trace::c {

enum class TokenKind : std::uint8_t { end, newline, identifier, number, string, character, punctuation, pack, leave_macro };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text = {};    ///< in a source, or in what the preprocessor keeps
  Span at = {};                  ///< of a token that a macro made: where the macro is used
  bool space_before = false;
  bool is_system = false;        ///< from a system header, where mistakes are not the user's
  bool is_painted = false;       ///< a macro's name inside its own expansion, which stays as it is
  std::uint32_t value = 0;       ///< pack: the alignment that members are capped at; 0: none

  bool is(std::string_view spelling) const { return text == spelling && kind != TokenKind::string && kind != TokenKind::character; }
};

/// Reads one token at `offset`, which moves behind it. Newlines are tokens; comments and spliced lines are spaces. Any bytes do.
Token next_token(std::string_view text, std::uint32_t& offset, std::uint32_t source);

/// All tokens of a text, without `end`.
std::vector<Token> tokens_of(std::string_view text, std::uint32_t source);

}  // namespace espy::trace::c
