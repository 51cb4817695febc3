#include "ir/lex.hpp"

namespace espy::ir {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '$'; }

/// The length of the token that `text` (not empty, no white space first) begins with, and its kind.
std::pair<std::size_t, TokenKind> one(std::string_view text) {
  auto while_ = [&](std::size_t from, auto&& holds) {
    while (from < text.size() && holds(text[from])) ++from;
    return from;
  };
  char c = text.front();
  if (text.starts_with("..") || text.starts_with("->")) return {2, TokenKind::op};
  if (letter(c)) return {while_(1, [](char x) { return letter(x) || digit(x); }), TokenKind::word};
  if (text.starts_with("0x"))
    return {while_(2, [](char x) { return digit(x) || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F'); }), TokenKind::number};
  if (digit(c)) return {while_(1, digit), TokenKind::number};
  if (c == '"') {
    std::size_t end = while_(1, [](char x) { return x != '"' && x != '\n'; });
    return end < text.size() && text[end] == '"' ? std::pair{end + 1, TokenKind::string} : std::pair{end, TokenKind::unknown};
  }
  if (std::string_view("()[]{}:,=@+-").contains(c)) return {1, TokenKind::op};
  return {1, TokenKind::unknown};
}

}  // namespace

std::vector<Token> lex(std::string_view text) {
  std::vector<Token> tokens;
  std::uint32_t line = 1;
  std::size_t line_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    char c = text[at];
    if (c == '\n') {
      ++line;
      line_start = ++at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
    } else if (c == ';') {
      while (at < text.size() && text[at] != '\n') ++at;
    } else {
      auto [length, kind] = one(text.substr(at));
      std::string_view token = text.substr(at, length);
      if (kind == TokenKind::string) token = token.substr(1, token.size() - 2);
      tokens.push_back({kind, token, line, static_cast<std::uint32_t>(at - line_start + 1)});
      at += length;
    }
  }
  tokens.push_back({TokenKind::end, {}, line, static_cast<std::uint32_t>(text.size() - line_start + 1)});
  return tokens;
}

}  // namespace espy::ir
