// Type names, and what tells a cast from an expression in parentheses.
//
// `(foo)(bar)`, `(foo)-1`: whether foo is a type is not known here. In parentheses before an operand that could not follow an
// expression it must be one; before what could (`-`, `*`, `&`), only the names of C's integers are taken for types.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "trace/syntax/parse.hpp"
#include "trace/syntax/type_words.hpp"

namespace espy::trace {

/// Reads `*` and `[…]` again from an offset; ends at what follows them.
std::uint32_t Parser::skip_type_suffixes(std::uint32_t offset, bool& any) {
  for (;;) {
    const Token token = lexer_.next(offset);
    if (token.kind == TokenKind::star) {
      any = true;
      offset = token.end;
      continue;
    }
    if (token.kind != TokenKind::left_bracket) return offset;
    Token count = lexer_.next(token.end);
    if (count.kind == TokenKind::integer) count = lexer_.next(count.end);
    if (count.kind != TokenKind::right_bracket) return offset;
    offset = count.end;
  }
}

/// From behind an opening parenthesis to behind the closing one, if that is not too far away.
std::uint32_t Parser::skip_parentheses(std::uint32_t offset) {
  constexpr unsigned kMostTokens = 1000;
  for (unsigned open = 1, seen = 0; open > 0 && seen < kMostTokens; ++seen) {
    const Token token = lexer_.next(offset);
    if (token.kind == TokenKind::end) break;
    open += token.kind == TokenKind::left_paren ? 1U : 0U;
    open -= token.kind == TokenKind::right_paren ? 1U : 0U;
    offset = token.end;
  }
  return offset;
}

/// Does a type stand here, as an argument? `lenient`: where types are usual (sizeof), names of all types are taken for them.
bool Parser::is_type(bool lenient) {
  if (!at(TokenKind::identifier)) return false;
  const std::string_view word = text(token_);
  const Token next = lexer_.next(token_.end);
  if (is_type_tag(word)) return next.kind == TokenKind::identifier;
  bool any_star = false;
  if (lenient && word == "typeof" && next.kind == TokenKind::left_paren) {
    const TokenKind after = lexer_.next(skip_type_suffixes(skip_parentheses(next.end), any_star)).kind;
    return after == TokenKind::right_paren || after == TokenKind::comma;
  }
  const Token after = lexer_.next(skip_type_suffixes(token_.end, any_star));
  const bool is_whole = after.kind == TokenKind::right_paren || after.kind == TokenKind::comma;
  if (is_whole && any_star) return true;
  if (is_integer_type(word)) return is_whole || next.kind == TokenKind::identifier;
  return lenient && is_whole && is_type_word(word);
}

bool Parser::is_cast() {
  const Token word = lexer_.next(token_.end);
  if (word.kind != TokenKind::identifier) return false;
  const std::string_view name = text(word);
  const Token next = lexer_.next(word.end);
  if (is_type_tag(name)) return next.kind == TokenKind::identifier;
  if (name == "const") return true;
  if (name == "typeof" && next.kind == TokenKind::left_paren) {
    // (typeof(x))y, but (typeof(x) == …) is none.
    bool any_star = false;
    return lexer_.next(skip_type_suffixes(skip_parentheses(next.end), any_star)).kind == TokenKind::right_paren;
  }
  if (is_integer_type(name) && next.kind == TokenKind::identifier) return true;  // unsigned long
  bool any_star = false;
  const Token close = lexer_.next(skip_type_suffixes(word.end, any_star));
  if (close.kind != TokenKind::right_paren) return false;
  if (any_star || is_integer_type(name)) return true;
  const Token operand = lexer_.next(close.end);
  switch (operand.kind) {
    case TokenKind::identifier: case TokenKind::integer: case TokenKind::string: case TokenKind::variable: case TokenKind::map:
    case TokenKind::positional: case TokenKind::left_paren: case TokenKind::bang: case TokenKind::tilde: return true;
    default: return false;
  }
}

TypeName Parser::type_name() {
  TypeName type;
  const std::uint32_t begin = peek().begin;
  const Nest nest(*this);
  if (too_deep()) return type;
  accept_word("const");
  if (!at(TokenKind::identifier)) {
    expected("a type");
    return type;
  }
  const std::string_view word = text(take());
  if (word == "typeof") {
    expect(TokenKind::left_paren, "after `typeof`");
    if (is_type(true)) {
      type = type_name();
    } else {
      type.tag = TypeName::Tag::type_of;
      type.of = expression();
    }
    expect(TokenKind::right_paren, "after what the type is asked of");
  } else if (is_type_tag(word)) {
    type.tag = word == "struct" ? TypeName::Tag::struct_ : word == "union" ? TypeName::Tag::union_ : TypeName::Tag::enum_;
    type.name = expect_name(fmt::format("a name after `{}`", word));
  } else {
    type.name = word;
    while (is_c_integer_word(word) && at(TokenKind::identifier) && is_c_integer_word(text(token_))) {
      type.name += ' ';
      type.name += text(take());
    }
  }
  type_suffixes(type);
  type.at = since(begin);
  return type;
}

void Parser::type_suffixes(TypeName& type) {
  while (!panic_ && type.suffixes.size() < 16) {
    if (accept(TokenKind::star)) {
      type.suffixes.emplace_back(TypeName::Pointer{});
    } else if (accept(TokenKind::left_bracket)) {
      TypeName::Array array{.count = {}};
      if (at(TokenKind::integer)) array.count = take().value;
      expect(TokenKind::right_bracket, "after the array's length");
      type.suffixes.emplace_back(array);
    } else {
      return;
    }
  }
}

}  // namespace espy::trace
