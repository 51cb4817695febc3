#include "trace/syntax/parse.hpp"

#include <fmt/format.h>

#include "trace/syntax/parser.hpp"

namespace espy::trace {

namespace {

constexpr unsigned kMostErrors = 50;
constexpr unsigned kDeepest = 200;    // blocks and expressions in each other
constexpr unsigned kMostLinks = 2000; // operators in one statement, each of which may make the tree one deeper
constexpr std::size_t kBiggest = std::size_t{16} << 20;

}  // namespace

Script parse(const Sources& sources, std::uint32_t source, Diagnostics& diagnostics) {
  if (sources.source(source).text.size() > kBiggest) {
    diagnostics.error({0, 0, source}, "this script is bigger than 16 MiB");
    return {};
  }
  return Parser(sources, source, diagnostics).script();
}

// ---- tokens ----

const Token& Parser::peek() {
  if (panic_ || unwinding_) {
    static constexpr Token kEnd = {};
    return kEnd;
  }
  while (!have_token_) {
    token_ = lexer_.next(position_);
    have_token_ = true;
    if (token_.kind != TokenKind::invalid) break;
    // Said here, then taken for what it was meant to be, so that what follows is still understood.
    const char first = byte(token_.begin);
    error(span(token_), token_.problem.starts_with("this character") ? fmt::format("`{}` means nothing here", text(token_))
                                                                     : std::string(token_.problem), token_.hint);
    panic_ = false;
    if (first == '"') token_.kind = TokenKind::string;
    else if (first == '$') token_.kind = token_.end - token_.begin > 1 ? TokenKind::positional : TokenKind::variable;
    else if (first == '\'' || (first >= '0' && first <= '9')) token_.kind = TokenKind::integer;
    else position_ = token_.end, have_token_ = false;
    if (unwinding_) return peek();
  }
  return token_;
}

Token Parser::take() {
  const Token token = peek();
  if (panic_ || unwinding_) return token;
  have_token_ = false;
  position_ = previous_end_ = token.end;
  return token;
}

bool Parser::at_word(std::string_view word) { return peek().kind == TokenKind::identifier && text(token_) == word; }

bool Parser::accept(TokenKind kind) {
  if (!at(kind)) return false;
  take();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  take();
  return true;
}

bool Parser::expect(TokenKind kind, std::string_view after, std::string_view hint) {
  if (accept(kind)) return true;
  expected(fmt::format("{} {}", describe(kind), after), hint);
  return false;
}

void Parser::close_list(std::string_view of) {
  if (!accept(TokenKind::right_paren)) expected(fmt::format("`,` or `)` after {}", of));
}

std::string Parser::expect_name(std::string_view what, TokenKind kind) {
  if (!at(kind)) {
    expected(what);
    return {};
  }
  const Token token = take();
  return std::string(text(token).substr(kind == TokenKind::identifier ? 0 : 1));
}

// ---- errors ----

Diagnostic* Parser::error(Span at, std::string message, std::string_view hint) {
  if (panic_ || unwinding_) return nullptr;
  panic_ = true;
  if (++errors_ > kMostErrors) {
    unwinding_ = true;
    seek(static_cast<std::uint32_t>(text_.size()));
    diagnostics_.error(at, "too many errors; the rest of the script is not looked at");
    return nullptr;
  }
  return &diagnostics_.error(at, std::move(message), std::string(hint));
}

std::string Parser::found(const Token& token) const {
  switch (token.kind) {
    case TokenKind::end: return std::string(describe(TokenKind::end));
    case TokenKind::string: return fmt::format("the string {}", text(token).substr(0, 40));
    default: return fmt::format("`{}`", text(token).substr(0, 60));
  }
}

void Parser::expected(std::string_view what, std::string_view hint) {
  if (panic_ || unwinding_) return;
  const Token token = peek();
  if (panic_ || unwinding_) return;
  // What is missing at the end of a line is shown there rather than at the line that follows.
  const bool is_next_line = text_.substr(previous_end_, token.begin - previous_end_).find('\n') != std::string_view::npos;
  const bool show_previous = previous_end_ != 0 && (is_next_line || token.kind == TokenKind::end);
  const Span at = show_previous ? span(previous_end_, previous_end_) : span(token);
  error(at, fmt::format("expected {}, found {}", what, found(token)), hint);
}

bool Parser::too_deep() {
  if (depth_ <= kDeepest && links_ <= kMostLinks) return false;
  error(span(peek()), depth_ > kDeepest ? "this is nested too deeply" : "this expression is too long",
        "keep parts of it in variables");
  return true;
}

void Parser::recover_statement() {
  if (!panic_ || unwinding_) return;
  panic_ = false;
  std::uint32_t at = position();
  for (unsigned braces = 0;;) {
    const Token token = lexer_.next(at);
    if (token.kind == TokenKind::end || (token.kind == TokenKind::right_brace && braces == 0)) break;
    at = token.end;
    if (token.kind == TokenKind::semicolon && braces == 0) break;
    if (token.kind == TokenKind::left_brace) ++braces;
    // The end of a block ends the statement that it belongs to, unless that goes on.
    if (token.kind == TokenKind::right_brace && --braces == 0) {
      const Token next = lexer_.next(at);
      if (next.kind == TokenKind::identifier && text(next) != "else") break;
    }
  }
  seek(at);
}

void Parser::recover_root() {
  panic_ = unwinding_ = false;
  depth_ = expression_depth_ = 0;
  in_predicate_ = false;
  std::uint32_t at = position();
  for (unsigned braces = 0;;) {
    const Token token = lexer_.next(at);
    if (token.kind == TokenKind::end) break;
    at = token.end;
    if (token.kind == TokenKind::left_brace) ++braces;
    if (token.kind == TokenKind::semicolon && braces == 0) break;
    if (token.kind == TokenKind::right_brace && (braces == 0 || --braces == 0)) break;
  }
  seek(at);
}

}  // namespace espy::trace
