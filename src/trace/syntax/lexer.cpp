#include "trace/syntax/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "trace/syntax/number.hpp"

namespace espy::trace {

namespace {

using enum TokenKind;

struct Punctuation {
  std::string_view spelling;
  TokenKind kind;
  std::string_view quoted;
};
// By first byte; of those the longest first, so that the first that fits is the right one.
constexpr std::array kPunctuation = std::to_array<Punctuation>({
    {"!=", not_equal, "`!=`"}, {"!", bang, "`!`"}, {"#", hash, "`#`"},
    {"%=", assign_mod, "`%=`"}, {"%", percent, "`%`"},
    {"&&", amp_amp, "`&&`"}, {"&=", assign_and, "`&=`"}, {"&", amp, "`&`"},
    {"(", left_paren, "`(`"}, {")", right_paren, "`)`"},
    {"*=", assign_mul, "`*=`"}, {"*", star, "`*`"},
    {"++", increment, "`++`"}, {"+=", assign_add, "`+=`"}, {"+", plus, "`+`"},
    {",", comma, "`,`"},
    {"--", decrement, "`--`"}, {"-=", assign_sub, "`-=`"}, {"->", arrow, "`->`"}, {"-", minus, "`-`"},
    {"..", dot_dot, "`..`"}, {".", dot, "`.`"},
    {"/=", assign_div, "`/=`"}, {"/", slash, "`/`"},
    {":", colon, "`:`"}, {";", semicolon, "`;`"},
    {"<<=", assign_left, "`<<=`"}, {"<<", shift_left, "`<<`"}, {"<=", less_equal, "`<=`"}, {"<", less, "`<`"},
    {"==", equal, "`==`"}, {"=", assign, "`=`"},
    {">>=", assign_right, "`>>=`"}, {">>", shift_right, "`>>`"}, {">=", greater_equal, "`>=`"}, {">", greater, "`>`"},
    {"?", question, "`?`"},
    {"[", left_bracket, "`[`"}, {"]", right_bracket, "`]`"},
    {"^=", assign_xor, "`^=`"}, {"^", caret, "`^`"},
    {"{", left_brace, "`{`"},
    {"||", pipe_pipe, "`||`"}, {"|=", assign_or, "`|=`"}, {"|", pipe, "`|`"},
    {"}", right_brace, "`}`"}, {"~", tilde, "`~`"},
});
static_assert(kPunctuation.size() == std::to_underlying(greater_equal) - std::to_underlying(left_brace) + 1);

constexpr std::uint8_t kNone = 0xff;
/// Where the rows of a first byte begin.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, 256> first{};
  first.fill(kNone);
  for (std::size_t row = kPunctuation.size(); row-- > 0;) {
    first[static_cast<unsigned char>(kPunctuation[row].spelling[0])] = static_cast<std::uint8_t>(row);
  }
  return first;
}();

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_name(char c) { return is_name_start(c) || is_digit(c); }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::uint32_t name_end(std::string_view text, std::uint32_t at) {
  while (at < text.size() && is_name(text[at])) ++at;
  return at;
}

struct Escape {
  char letter, means;
};
constexpr std::array kEscapes = std::to_array<Escape>({{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}, {'\'', '\''},
    {'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'v', '\v'}, {'e', '\033'}});

Token string_token(std::string_view text, std::uint32_t begin) {
  Token token{.kind = string, .begin = begin};
  std::uint32_t at = begin + 1;
  while (at < text.size() && text[at] != '"' && text[at] != '\n') {
    if (text[at++] != '\\' || at >= text.size()) continue;
    const char letter = text[at++];
    const bool is_octal = letter >= '0' && letter <= '7', is_line_end = letter == '\n';
    const bool is_known = std::ranges::find(kEscapes, letter, &Escape::letter) != kEscapes.end();
    if (letter == 'x' && at < text.size() && is_hex(text[at])) continue;
    if (is_octal || is_line_end || is_known) continue;
    token.kind = invalid;
    token.problem = letter == 'x' ? "`\\x` needs hexadecimal digits after it" : "unknown escape in a string";
    token.hint = "a string knows \\n, \\t, \\r, \\\", \\\\, \\NNN (octal) and \\xNN; a backslash itself is \\\\";
  }
  if (at >= text.size() || text[at] != '"') {
    token.kind = invalid;
    token.problem = "this string has no closing quote";
    token.hint = "a string ends on the line that it begins on; write a new line as \\n";
    // What closes the call around it is hardly meant to be part of it.
    while (at > begin + 1 && std::string_view(" \t\r);}").find(text[at - 1]) != std::string_view::npos) --at;
    token.end = at;
  } else {
    token.end = at + 1;
  }
  return token;
}

Token quote_token(std::string_view text, std::uint32_t begin) {
  std::uint32_t at = begin + 1;
  while (at < text.size() && text[at] != '\'' && text[at] != '\n') at += text[at] == '\\' && at + 1 < text.size() ? 2 : 1;
  return {.kind = invalid, .begin = begin,
          .end = static_cast<std::uint32_t>(std::min<std::size_t>(at < text.size() && text[at] == '\'' ? at + 1 : at, text.size())),
          .problem = "there are no character literals",
          .hint = "write the character's number (65 for A), or a string in double quotes"};
}

Token dollar_token(std::string_view text, std::uint32_t begin) {
  Token token{.kind = positional, .begin = begin, .end = begin + 1};
  if (token.end < text.size() && text[token.end] == '#') return ++token.end, token;
  if (token.end < text.size() && is_name_start(text[token.end])) {
    token.kind = variable, token.end = name_end(text, token.end);
    return token;
  }
  while (token.end < text.size() && is_digit(text[token.end]) && token.value < 1000000) {
    token.value = token.value * 10 + static_cast<unsigned>(text[token.end++] - '0');
  }
  if (token.value == 0 || token.value > 65535) {
    token.kind = invalid;
    token.problem = token.end == begin + 1 ? "`$` without a name" : "there is no such parameter";
    token.hint = "a variable is $name; the script's parameters are $1, $2 …, their number is $#";
  }
  return token;
}

Token number_token(std::string_view text, std::uint32_t begin) {
  const Number number = read_number(text.substr(begin));
  return {.kind = number.problem.empty() ? integer : invalid, .begin = begin, .end = begin + number.length,
          .value = number.value, .is_unsigned = number.is_unsigned, .problem = number.problem, .hint = number.hint};
}

}  // namespace

std::string_view describe(TokenKind kind) {
  switch (kind) {
    case end: return "the end of the script";
    case invalid: return "something that is no part of the language";
    case identifier: return "a name";
    case variable: return "a variable";
    case map: return "a map";
    case positional: return "a parameter";
    case integer: return "a number";
    case string: return "a string";
    default: return std::ranges::find(kPunctuation, kind, &Punctuation::kind)->quoted;
  }
}

void Lexer::keep_comment(std::uint32_t begin, std::uint32_t end) {
  if (comments_.empty() || comments_.back().begin < begin) comments_.push_back({begin, end});
}

std::uint32_t Lexer::skip_space(std::uint32_t at) {
  const auto size = static_cast<std::uint32_t>(text_.size());
  while (at < size) {
    if (is_space(text_[at])) {
      ++at;
    } else if (text_[at] == '/' && at + 1 < size && text_[at + 1] == '/') {
      const auto stop = static_cast<std::uint32_t>(std::min<std::size_t>(text_.find('\n', at), size));
      keep_comment(at, stop);
      at = stop;
    } else if (text_[at] == '/' && at + 1 < size && text_[at + 1] == '*') {
      const std::size_t close = text_.find("*/", at + 2);
      comment_is_open_ |= close == std::string_view::npos;
      const std::uint32_t stop = close == std::string_view::npos ? size : static_cast<std::uint32_t>(close + 2);
      keep_comment(at, stop);
      at = stop;
    } else {
      break;
    }
  }
  return at;
}

Token Lexer::next(std::uint32_t offset) {
  const std::uint32_t at = skip_space(offset);
  if (at >= text_.size()) return {.kind = end, .begin = at, .end = at};
  const char c = text_[at];
  if (is_name_start(c)) return {.kind = identifier, .begin = at, .end = name_end(text_, at + 1)};
  if (is_digit(c)) return number_token(text_, at);
  switch (c) {
    case '$': return dollar_token(text_, at);
    case '@': return {.kind = map, .begin = at, .end = name_end(text_, at + 1)};
    case '"': return string_token(text_, at);
    case '\'': return quote_token(text_, at);
    default: break;
  }
  for (std::size_t row = kFirst[static_cast<unsigned char>(c)]; row < kPunctuation.size(); ++row) {
    const Punctuation& candidate = kPunctuation[row];
    if (candidate.spelling[0] != c) break;
    if (text_.substr(at).starts_with(candidate.spelling)) {
      return {.kind = candidate.kind, .begin = at, .end = at + static_cast<std::uint32_t>(candidate.spelling.size())};
    }
  }
  std::uint32_t stop = at + 1;  // a character of several bytes is one mistake
  while (stop < text_.size() && (static_cast<unsigned char>(text_[stop]) & 0xc0U) == 0x80) ++stop;
  return {.kind = invalid, .begin = at, .end = stop, .problem = "this character means nothing here"};
}

std::string unescape(std::string_view literal) {
  if (literal.starts_with('"')) literal.remove_prefix(1);
  if (literal.ends_with('"')) literal.remove_suffix(1);
  std::string out;
  out.reserve(literal.size());
  const auto number = [&](std::size_t& at, std::size_t digits, unsigned base) {
    unsigned value = 0;
    for (; digits > 0 && at < literal.size() && (base == 16 ? is_hex(literal[at]) : literal[at] >= '0' && literal[at] <= '7');
         --digits, ++at) {
      const char c = literal[at];
      value = value * base + static_cast<unsigned>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    out += static_cast<char>(value);
  };
  for (std::size_t at = 0; at < literal.size();) {
    if (literal[at] != '\\' || at + 1 >= literal.size()) {
      out += literal[at++];
      continue;
    }
    const char letter = literal[++at];
    if (letter >= '0' && letter <= '7') {
      number(at, 3, 8);
    } else if (letter == 'x') {
      number(++at, 2, 16);
    } else {
      ++at;
      const auto* row = std::ranges::find(kEscapes, letter, &Escape::letter);
      if (letter != '\n') out += row != kEscapes.end() ? row->means : letter;
    }
  }
  return out;
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view kDigits = "01234567";
  std::string out = "\"";
  for (const char c : bytes) {
    const auto* row = std::ranges::find(kEscapes, c, &Escape::means);
    const auto byte = static_cast<unsigned char>(c);
    if (row != kEscapes.end() && c != '\'') {
      out += '\\', out += row->letter;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += '\\', out += kDigits[byte >> 6U], out += kDigits[byte >> 3U & 7U], out += kDigits[byte & 7U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace espy::trace
