#include "trace/c/token.hpp"

#include <algorithm>
#include <array>

namespace espy::trace::c {

namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::array kLong = std::to_array<std::string_view>({"...", "<<=", ">>=", "##", "->", "++", "--", "<<", ">>", "<=", ">=", "==",
    "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="});

/// Past spaces, comments and spliced lines, not past newlines.
std::uint32_t skip_space(std::string_view text, std::uint32_t at) {
  const auto size = static_cast<std::uint32_t>(text.size());
  while (at < size) {
    const std::string_view rest = text.substr(at);
    if (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\f' || rest[0] == '\v') ++at;
    else if (rest.starts_with("\\\n")) at += 2;
    else if (rest.starts_with("\\\r\n")) at += 3;
    else if (rest.starts_with("/*")) at = static_cast<std::uint32_t>(std::min<std::size_t>(text.find("*/", at + 2), size - 2) + 2);
    else if (rest.starts_with("//")) at = static_cast<std::uint32_t>(std::min<std::size_t>(text.find('\n', at), size));
    else break;
  }
  return std::min(at, size);
}

std::uint32_t literal_end(std::string_view text, std::uint32_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote && text[at] != '\n') at += text[at] == '\\' && at + 1 < text.size() ? 2 : 1;
  return at < text.size() && text[at] == quote ? at + 1 : at;
}

}  // namespace

Token next_token(std::string_view text, std::uint32_t& offset, std::uint32_t source) {
  const std::uint32_t begin = skip_space(text, offset);
  Token token{.at = {begin, begin, source}, .space_before = begin > offset};
  offset = begin;
  if (begin >= text.size()) return token;
  std::uint32_t end = begin + 1;
  const char c = text[begin];
  if (c == '\n') {
    token.kind = TokenKind::newline;
  } else if (is_name_start(c)) {
    token.kind = TokenKind::identifier;
    while (end < text.size() && (is_name_start(text[end]) || is_digit(text[end]))) ++end;
  } else if (is_digit(c) || (c == '.' && end < text.size() && is_digit(text[end]))) {
    token.kind = TokenKind::number;
    const auto is_exponent_sign = [&](std::uint32_t at) {
      return (text[at] == '+' || text[at] == '-') && (text[at - 1] == 'e' || text[at - 1] == 'E') && !text.substr(begin).starts_with("0x");
    };
    while (end < text.size() && (is_name_start(text[end]) || is_digit(text[end]) || text[end] == '.' || is_exponent_sign(end))) ++end;
  } else if (c == '"' || c == '\'') {
    token.kind = c == '"' ? TokenKind::string : TokenKind::character;
    end = literal_end(text, begin);
  } else {
    token.kind = TokenKind::punctuation;
    const auto* row = std::ranges::find_if(kLong, [&](std::string_view spelling) { return text.substr(begin).starts_with(spelling); });
    if (row != kLong.end()) end = begin + static_cast<std::uint32_t>(row->size());
  }
  end = std::min(end, static_cast<std::uint32_t>(text.size()));
  token.at.end = offset = end;
  token.text = text.substr(begin, end - begin);
  return token;
}

std::vector<Token> tokens_of(std::string_view text, std::uint32_t source) {
  std::vector<Token> tokens;
  for (std::uint32_t at = 0;;) {
    Token token = next_token(text, at, source);
    if (token.kind == TokenKind::end) return tokens;
    if (token.kind != TokenKind::newline) tokens.push_back(token);
  }
}

}  // namespace espy::trace::c
