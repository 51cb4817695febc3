#include "isa/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace espy::isa {

namespace {

// Longest first where one begins another. The signed forms come before words, for they begin with a letter.
constexpr std::array<std::string_view, 39> kOps = {
    "s>>=", ">>=", "<<=", "s/=", "s%=", "s>=", "s<=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "==", "!=", ">=", "<=",
    "s>",   "s<",  "=",   "<",   ">",   "&",   "(",   ")",  "[",  "]",  "{",  "}",  "*",  "+",  "-",  ",",  ":",  "#",  "@", "/"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '$'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c); }

std::size_t op_length(std::string_view rest) {
  for (std::string_view op : kOps) {
    if (rest.starts_with(op)) return op.size();
  }
  return 0;
}

std::size_t word_length(std::string_view rest) {
  std::size_t n = 0;
  while (n < rest.size() && is_word(rest[n])) ++n;
  return n;
}

// Up to and with the closing quote; 0: there is none.
std::size_t string_length(std::string_view rest) {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\') ++i;
    else if (rest[i] == '"') return i + 1;
  }
  return 0;
}

}  // namespace

void tokenize(std::string_view line, std::vector<Token>& tokens) {
  tokens.clear();
  std::size_t at = 0;
  auto push = [&](TokenKind kind, std::size_t length) {
    tokens.push_back({kind, line.substr(at, length), static_cast<std::uint32_t>(at + 1)});
    at += length;
  };
  while (at < line.size()) {
    std::string_view rest = line.substr(at);
    char c = rest.front();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at;
    } else if (c == ';' || rest.starts_with("//") || (c == '#' && (at == 0 || !is_word(line[at - 1])))) {
      break;
    } else if (is_digit(c)) {
      push(TokenKind::number, word_length(rest));
    } else if (c == '"') {
      std::size_t length = string_length(rest);
      push(length != 0 ? TokenKind::string : TokenKind::unknown, length != 0 ? length : rest.size());
    } else if (std::size_t length = op_length(rest); length != 0) {
      push(TokenKind::op, length);
    } else if (is_word_start(c)) {
      push(TokenKind::word, word_length(rest));
    } else {
      push(TokenKind::unknown, 1);
    }
  }
  push(TokenKind::end, 0);
}

std::string quoted(std::string_view name, bool always) {
  if (!always && !name.empty() && is_word_start(name.front()) && std::ranges::all_of(name, is_word)) return std::string(name);
  std::string out = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out += '"';
}

std::string unquote(std::string_view text) {
  std::string out;
  if (text.size() >= 2) text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    char c = text[++i];
    if (c == 'n') out += '\n';
    else if (c == 't') out += '\t';
    else if (c == '0') out += '\0';
    else if (c == 'x' && i + 2 < text.size()) {
      std::uint8_t value = 0;
      std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace espy::isa
