// The root of a script: C, config, imports, declarations, macros, functions and probes.
#include <fmt/format.h>

#include <algorithm>

#include "trace/syntax/parse.hpp"

namespace espy::trace {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

}  // namespace

Script Parser::script() {
  Script script;
  shebang();
  for (;;) {
    position_ = lexer_.skip_space(position());
    have_token_ = false;
    if (position_ >= text_.size()) break;
    const std::uint32_t before = position_;
    root_item(script);
    if (unwinding_ && errors_ > 50) break;
    if (unwinding_) panic_ = unwinding_ = false, depth_ = expression_depth_ = 0, in_predicate_ = false;
    if (panic_) recover_root();
    if (position() <= before) seek(before + 1);
  }
  if (lexer_.comment_is_open()) {
    const CommentPlace comment = lexer_.comments().back();
    panic_ = unwinding_ = false;
    error(span(comment.begin, comment.begin + 2), "this comment has no end", "a comment that begins with /* ends with */");
  }
  keep_comments(script);
  return script;
}

void Parser::shebang() {
  if (!text_.starts_with("#!")) return;
  const auto end = static_cast<std::uint32_t>(std::min(text_.find('\n'), text_.size()));
  lexer_.comments().push_back({0, end});
  seek(end);
}

void Parser::keep_comments(Script& script) {
  for (const CommentPlace& place : lexer_.comments()) {
    const bool in_preamble = std::ranges::any_of(script.preambles, [&](const Preamble& preamble) {
      return place.begin >= preamble.at.begin && place.end <= preamble.at.end;
    });
    if (in_preamble) continue;
    script.comments.push_back({std::string(text_.substr(place.begin, place.end - place.begin)), span(place.begin, place.end)});
  }
}

void Parser::root_item(Script& script) {
  const Token first = lexer_.next(position_);
  const Token second = lexer_.next(first.end);
  const std::string_view word = first.kind == TokenKind::identifier ? text(first) : std::string_view{};
  const bool names = second.kind == TokenKind::identifier;
  const bool is_c = first.kind == TokenKind::hash ||
                    ((word == "struct" || word == "union" || word == "enum") && (names || second.kind == TokenKind::left_brace)) ||
                    (word == "typedef" && names);
  if (is_c) return preamble(script);
  if (first.kind == TokenKind::semicolon) return seek(first.end);
  last_was_preamble_ = false;
  if (first.kind == TokenKind::right_brace) {
    error(span(first), "this `}` closes nothing", "is there one `}` too many above?");
    panic_ = false;
    return seek(first.end);
  }
  if (word == "config" && (second.kind == TokenKind::assign || second.kind == TokenKind::left_brace)) return config(script);
  if (word == "import" && second.kind != TokenKind::colon && second.kind != TokenKind::left_brace) {
    script.imports.push_back(import());
    if (!panic_) accept(TokenKind::semicolon);
    if (have_token_) seek(token_.begin);
    return;
  }
  if (word == "let") return map_declaration(script);
  if (word == "macro" && names) return macro(script);
  if (word == "fn" && names) return subprogram(script);
  probe(script);
}

// ---- C ----

std::uint32_t Parser::end_of_directive(std::uint32_t at) const {
  while (at < text_.size() && text_[at] != '\n') {
    if (text_[at] == '\\' && at + 1 < text_.size()) {
      at += byte(at + 1) == '\r' && byte(at + 2) == '\n' ? 3 : 2;
    } else if (text_.substr(at).starts_with("/*")) {
      at = static_cast<std::uint32_t>(std::min(text_.find("*/", at + 2), text_.size() - 2) + 2);
    } else {
      ++at;
    }
  }
  return static_cast<std::uint32_t>(std::min<std::size_t>(at, text_.size()));
}

/// Past a struct, union, enum or typedef: to its `;`, or past the `}` that nothing of C follows.
std::uint32_t Parser::end_of_definition(std::uint32_t at) {
  const bool is_typedef = text_.substr(at).starts_with("typedef");
  unsigned braces = 0;
  for (;;) {
    const Token token = lexer_.next(at);
    if (token.kind == TokenKind::end) {
      if (braces > 0) error(span(position_, position_ + 1), "missing `}`: this definition does not end");
      return token.end;
    }
    at = token.end;
    if (token.kind == TokenKind::left_brace) ++braces;
    if (token.kind == TokenKind::semicolon && braces == 0) return at;
    if (token.kind != TokenKind::right_brace || braces == 0 || --braces > 0 || is_typedef) continue;
    const Token next = lexer_.next(at);
    const bool goes_on = next.kind == TokenKind::semicolon || text(next) == "__attribute__";
    if (!goes_on) return at;
  }
}

void Parser::preamble(Script& script) {
  const std::uint32_t begin = position_;
  const std::uint32_t end = byte(begin) == '#' ? end_of_directive(begin) : end_of_definition(begin);
  if (last_was_preamble_) {
    script.preambles.back().at.end = end;
  } else {
    script.preambles.push_back({.text = {}, .at = span(begin, end)});
  }
  Preamble& last = script.preambles.back();
  last.text = text_.substr(last.at.begin, end - last.at.begin);
  last_was_preamble_ = true;
  seek(end);
}

// ---- config, maps ----

void Parser::config(Script& script) {
  const std::uint32_t begin = position();
  const Token name = take();
  if (script.config_at.end != 0) {
    if (Diagnostic* diagnostic = error(span(name), "a script has one config block")) {
      diagnostic->notes.push_back({script.config_at, "the first is here"});
    }
    return;
  }
  if (!script.probes.empty()) {
    error(span(name), "the config block stands before all probes", "move it to the head of the script");
    return;
  }
  expect(TokenKind::assign, "after `config`", "config = { max_map_keys = 100; }");
  expect(TokenKind::left_brace, "at the beginning of the config block", "config = { max_map_keys = 100; }");
  while (at(TokenKind::identifier)) {
    const std::uint32_t entry = position();
    std::string key = expect_name("a configuration variable");
    expect(TokenKind::assign, fmt::format("after `{}`", key));
    Expr value = expression();
    if (panic_) return;
    script.config.push_back({std::move(key), std::move(value), since(entry)});
    if (!accept(TokenKind::semicolon) && !accept(TokenKind::comma)) break;
  }
  expect(TokenKind::right_brace, "at the end of the config block", "variables are separated by `;`");
  script.config_at = since(begin);
}

void Parser::map_declaration(Script& script) {
  const std::uint32_t begin = position();
  take();
  constexpr std::string_view kForm = "outside of probes `let` declares a map: let @name = lruhash(100);";
  MapDeclaration declaration{.name = {}, .kind = {}, .size = {}};
  if (!at(TokenKind::map)) return expected("a map", kForm);
  declaration.name = expect_name("a map", TokenKind::map);
  expect(TokenKind::assign, "after the map's name", kForm);
  declaration.kind = expect_name("a kind of map: hash, lruhash, percpuhash or percpulruhash");
  expect(TokenKind::left_paren, "after the kind of map", kForm);
  declaration.size = expression();
  expect(TokenKind::right_paren, "after the number of keys");
  accept(TokenKind::semicolon);
  if (have_token_) seek(token_.begin);
  if (panic_) return;
  declaration.at = since(begin);
  script.maps.push_back(std::move(declaration));
}

// ---- macros, functions ----

MacroParameter Parser::macro_parameter() {
  MacroParameter parameter;
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::variable: parameter.kind = MacroParameter::Kind::variable; break;
    case TokenKind::map: parameter.kind = MacroParameter::Kind::map; break;
    case TokenKind::identifier: break;
    default: expected("a parameter ($variable, @map or a name for an expression)"); return parameter;
  }
  parameter.name = expect_name("a parameter", token.kind);
  if (accept(TokenKind::colon)) parameter.type = type_name();
  parameter.at = since(token.begin);
  return parameter;
}

void Parser::macro(Script& script) {
  const std::uint32_t begin = position();
  take();
  std::string name = expect_name("the macro's name");
  std::vector<MacroParameter> parameters;
  expect(TokenKind::left_paren, "after the macro's name", "macro name($variable, expression, @map) { … }");
  while (!panic_ && !at(TokenKind::right_paren)) {
    parameters.push_back(macro_parameter());
    if (!accept(TokenKind::comma)) break;
  }
  close_list("the macro's parameters");
  ParsedBlock parsed = block("macro");
  if (panic_) return;
  Expr value{.node = Integer{}};
  if (parsed.ends_in_value) {
    value = take_value(parsed.block);
  }
  script.macros.push_back({std::move(name), std::move(parameters), BlockExpr{std::move(parsed.block), std::move(value)},
                           parsed.ends_in_value, since(begin)});
}

void Parser::subprogram(Script& script) {
  const std::uint32_t begin = position();
  take();
  Subprogram function{.name = expect_name("the function's name"), .parameters = {}, .returns = {.name = "void"}, .body = {}};
  expect(TokenKind::left_paren, "after the function's name", "fn name($a : int64) : int64 { … }");
  while (!panic_ && !at(TokenKind::right_paren)) {
    const std::uint32_t parameter = position();
    std::string name = expect_name("a parameter ($name : type)", TokenKind::variable);
    expect(TokenKind::colon, "and a type after the parameter's name", "fn name($a : int64) : int64 { … }");
    TypeName type = type_name();
    function.parameters.push_back({std::move(name), std::move(type), since(parameter)});
    if (!accept(TokenKind::comma)) break;
  }
  close_list("the function's parameters");
  if (accept(TokenKind::colon)) function.returns = type_name();
  function.body = body("fn");
  if (panic_) return;
  function.at = since(begin);
  script.subprograms.push_back(std::move(function));
}

// ---- probes ----

/// Is this slash, in or after an attach point that begins at `begin`, the one that a predicate begins with? After white space
/// it is. Before, it is a path's where a part of the attach point begins (uprobe:/bin/sh:f), and inside a part that begins
/// with `/` or `.`, or that another part follows (uprobe:lib/x.so:f); profile:hz:99/pid == 1/ has a predicate.
bool Parser::begins_predicate(std::uint32_t slash, std::uint32_t begin) const {
  std::uint32_t part = slash;
  while (part > begin && byte(part - 1) != ':') --part;
  if (part == slash || part == begin) return part == begin;
  if (byte(part) == '/' || byte(part) == '.') return false;
  for (std::uint32_t at = slash + 1; at < text_.size() && !is_space(text_[at]) && text_[at] != '{' && text_[at] != ','; ++at) {
    if (text_[at] == ':') return false;
  }
  return true;
}

AttachPointText Parser::attach_point() {
  const std::uint32_t begin = position_ = lexer_.skip_space(position_);
  std::uint32_t at = begin;
  for (; at < text_.size(); ++at) {
    const char c = text_[at];
    if (is_space(c) || c == '{' || c == '}' || c == ',' || c == ';') break;
    if (c == '/' && at > begin && begins_predicate(at, begin)) break;
    if (c != '"') continue;
    const std::size_t close = text_.find_first_of("\"\n", at + 1);
    if (close == std::string_view::npos || text_[close] == '\n') {
      error(span(at, at + 1), "this string has no closing quote");
      return {};
    }
    at = static_cast<std::uint32_t>(close);
  }
  if (at == begin) {
    seek(begin);
    previous_end_ = 0;
    expected("a probe", "a probe is written like tracepoint:sched:sched_switch { … }; `espy trace -l` lists all");
    return {};
  }
  seek(at);
  previous_end_ = at;
  return {std::string(text_.substr(begin, at - begin)), span(begin, at)};
}

void Parser::probe(Script& script) {
  const std::uint32_t begin = position_;
  Probe probe{.label = {}, .attach_points = {}, .predicate = {}, .body = {}};
  const Token name = lexer_.next(position_), equals = lexer_.next(name.end);
  if (name.kind == TokenKind::identifier && equals.kind == TokenKind::assign) {
    probe.label = text(name);
    seek(equals.end);
  }
  do {
    probe.attach_points.push_back(attach_point());
    if (panic_) return;
    position_ = lexer_.skip_space(position_);
  } while (byte(position_) == ',' && (++position_, true));
  if (byte(position_) == '/') {
    ++position_;
    in_predicate_ = true;
    probe.predicate = expression();
    in_predicate_ = false;
    if (at(TokenKind::assign)) return expected("`/` after the predicate", "to compare, write `==`");
    expect(TokenKind::slash, "after the predicate", "a predicate stands between slashes: /pid == 1/");
  }
  if (!panic_ && byte(position_ = lexer_.skip_space(position_)) != '{') {
    have_token_ = false;
    return expected(probe.predicate ? "`{` after the predicate" : "`{`, `/predicate/` or `,` after the probe",
                    at(TokenKind::colon) ? "no spaces inside a probe's name; quote parts that have them" : "");
  }
  probe.body = body("probe");
  if (panic_) return;
  probe.at = since(begin);
  script.probes.push_back(std::move(probe));
}

}  // namespace espy::trace
