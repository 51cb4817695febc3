// Goes through the tokens of the text form, and says where one is not what it should be.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ir/lex.hpp"
#include "ir/text.hpp"

namespace espy::ir {

/// What a quoted name says: \xHH undone.
inline std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::optional<unsigned> value;
    if (text.substr(i).starts_with("\\x") && i + 4 <= text.size())
      value = parse_number<unsigned>("0x" + std::string(text.substr(i + 2, 2)));
    if (value) out += static_cast<char>(*value), i += 3;
    else out += text[i];
  }
  return out;
}

/// Where the reader stands. `tokens` and `file` must outlive it.
class Cursor {
 public:
  Cursor(std::span<const Token> tokens, std::string_view file) : tokens_(tokens), file_(file) {}

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool is(std::string_view text) const {
    return (peek().kind == TokenKind::op || peek().kind == TokenKind::word) && peek().text == text;
  }
  bool done() const { return peek().kind == TokenKind::end; }
  const Token& next() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool take(std::string_view text) {
    if (!is(text)) return false;
    next();
    return true;
  }

  std::unexpected<Error> error(std::string message) const { return error_at(peek(), std::move(message)); }
  std::unexpected<Error> error_at(const Token& token, std::string message) const {
    return std::unexpected(Error{.kind = ErrorKind::malformed, .message = std::move(message),
                                 .where = fmt::format("{}:{}:{}", file_, token.line, token.column)});
  }
  std::unexpected<Error> expected(std::string_view what) const {
    return error(done() ? fmt::format("{} is missing at the end", what)
                        : fmt::format("{} is expected, not `{}`", what, peek().text));
  }

  Result<void> expect(std::string_view text) {
    if (!take(text)) return expected(fmt::format("`{}`", text));
    return {};
  }
  template <typename T = std::uint32_t>
  Result<T> number(std::string_view what) {
    std::optional<T> value = peek().kind == TokenKind::number ? parse_number<T>(peek().text) : std::nullopt;
    if (!value) return expected(what);
    next();
    return *value;
  }
  /// A number with an optional sign, of 64 bits either way.
  Result<std::int64_t> integer() {
    bool negative = take("-");
    if (!negative) take("+");
    std::uint64_t value = TRY(number<std::uint64_t>("a number"));
    return static_cast<std::int64_t>(negative ? 0 - value : value);
  }
  /// `+8`, `-8`, or nothing: 0.
  Result<std::int64_t> offset() {
    if (!is("+") && !is("-")) return 0;
    return integer();
  }
  Result<std::string> name() {
    if (peek().kind == TokenKind::string) return unescaped(next().text);
    if (peek().kind == TokenKind::word) return std::string(next().text);
    return expected("a name");
  }
  Result<Type> type() {
    std::optional<Type> type = peek().kind == TokenKind::word ? find_type(peek().text) : std::nullopt;
    if (!type) return expected("a type");
    next();
    return *type;
  }
  /// The number behind a letter: `v12`.
  std::optional<std::uint32_t> numbered(char letter) const {
    if (peek().kind != TokenKind::word || peek().text.front() != letter) return std::nullopt;
    return parse_number<std::uint32_t>(peek().text.substr(1));
  }

 private:
  std::span<const Token> tokens_;
  std::string_view file_;
  std::size_t at_ = 0;
};

}  // namespace espy::ir
