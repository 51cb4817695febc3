// Text to tokens, on demand: what a byte means depends on where the parser is (a `/` in an attach point is a path's), so the
// parser says where to read. Any bytes give tokens; what is none is `invalid` and says why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espy::trace {

enum class TokenKind : std::uint8_t {
  end, invalid, identifier, variable, map, positional, integer, string,
  left_brace, right_brace, left_paren, right_paren, left_bracket, right_bracket,
  comma, semicolon, colon, question, dot, dot_dot, arrow, hash,
  assign, assign_add, assign_sub, assign_mul, assign_div, assign_mod, assign_and, assign_or, assign_xor, assign_left, assign_right,
  increment, decrement, plus, minus, star, slash, percent, amp, pipe, caret, tilde, shift_left, shift_right,
  amp_amp, pipe_pipe, bang, equal, not_equal, less, less_equal, greater, greater_equal,
};

/// How a token of this kind is called in messages: "`{`", "a name", "the end of the script".
std::string_view describe(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint32_t begin = 0, end = 0;
  std::uint64_t value = 0;          ///< of an integer, durations in nanoseconds; of `$1`, 1; of `$#`, 0
  bool is_unsigned = false;         ///< of an integer
  std::string_view problem = {};    ///< of an invalid one: what is wrong with it; static
  std::string_view hint = {};
};

/// Where a comment stands in the text, marks included.
struct CommentPlace {
  std::uint32_t begin = 0, end = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// The first token at or after an offset.
  Token next(std::uint32_t offset);
  /// The first byte at or after an offset that is neither white space nor in a comment.
  std::uint32_t skip_space(std::uint32_t offset);
  /// The comments that were skipped, in order, each once.
  std::vector<CommentPlace>& comments() { return comments_; }
  /// A `/*` without its end, whose token is the end of the script.
  bool comment_is_open() const { return comment_is_open_; }
  std::string_view text() const { return text_; }

 private:
  void keep_comment(std::uint32_t begin, std::uint32_t end);

  std::string_view text_;  // the caller's
  std::vector<CommentPlace> comments_;
  bool comment_is_open_ = false;
};

/// The bytes that a string token means: quotes removed, escapes replaced.
std::string unescape(std::string_view literal);
/// The other way: a string token, quotes and all.
std::string escape(std::string_view bytes);

}  // namespace espy::trace
