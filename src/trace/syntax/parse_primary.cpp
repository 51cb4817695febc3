// What operators stand between: literals, names, calls, maps, and all that begins with a parenthesis or a brace.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "trace/syntax/parse.hpp"

namespace espy::trace {

namespace {

constexpr std::array kFormatted = std::to_array<std::string_view>({"printf", "errorf", "warnf", "system", "cat", "time", "strftime"});

/// `sarg0`: arguments on the stack, which older versions had.
bool is_stack_argument(std::string_view word) {
  return word.size() > 4 && word.starts_with("sarg") && word.find_first_not_of("0123456789", 4) == std::string_view::npos;
}

}  // namespace

Expr Parser::primary() {
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::integer:
      take();
      return link(token.begin, Integer{token.value, token.is_unsigned, std::string(text(token))});
    case TokenKind::string: take(); return link(token.begin, String{unescape(text(token))});
    case TokenKind::positional: take(); return link(token.begin, Positional{static_cast<std::uint32_t>(token.value)});
    case TokenKind::variable: take(); return link(token.begin, Variable{std::string(text(token).substr(1))});
    case TokenKind::map: return map_access();
    case TokenKind::identifier: return word();
    case TokenKind::left_paren: return parenthesised();
    case TokenKind::left_brace: return block_value();
    case TokenKind::plus: expected("an expression", "there is no `+` before a single operand"); break;
    case TokenKind::dot: expected("an expression", "there are no floating-point numbers"); break;
    case TokenKind::assign: expected("an expression", "to compare, write `==`"); break;
    default: expected("an expression"); break;
  }
  return {.node = Integer{}, .at = span(token)};
}

void Parser::arguments(std::vector<Expr>& list, TokenKind close, std::string_view hint) {
  while (!panic_ && !at(close)) {
    if (is_type(false)) {
      const std::uint32_t begin = peek().begin;
      TypeName type = type_name();
      list.push_back(link(begin, TypeOf{std::move(type)}));
    } else {
      list.push_back(expression());
    }
    if (!accept(TokenKind::comma)) break;
  }
  if (at(TokenKind::assign)) expected("`,` or " + std::string(describe(close)), "to compare, write `==`");
  else if (!accept(close)) expected("`,` or " + std::string(describe(close)), hint);
}

Expr Parser::map_access() {
  const Token name = take();
  MapAccess map{.name = std::string(text(name).substr(1))};
  if (accept(TokenKind::left_bracket)) {
    const std::uint32_t begin = peek().begin;
    std::vector<Expr> keys;
    arguments(keys, TokenKind::right_bracket, "the keys of a map stand in brackets: @map[key, key]");
    if (keys.empty() && !panic_) error(since(name.begin), "a map's brackets need a key", "a map without keys is written without brackets");
    if (keys.size() == 1) {
      map.key = std::move(keys.front());
    } else if (!keys.empty()) {
      const Span at = span(begin, keys.back().at.end);
      map.key = Expr{.node = TupleLiteral{std::move(keys)}, .at = at};
    }
  }
  return link(name.begin, std::move(map));
}

Expr Parser::block_value() {
  const std::uint32_t begin = peek().begin;
  ParsedBlock parsed = block("expression");
  if (panic_ || unwinding_) return {.node = Integer{}};
  if (!parsed.ends_in_value) {
    error(span(previous_end_ - 1, previous_end_), "a block that stands for a value ends with an expression", "without a `;` after it");
    return {.node = Integer{}};
  }
  Expr value = take_value(parsed.block);
  return link(begin, BlockExpr{std::move(parsed.block), std::move(value)});
}

/// What a block ends in that ends in a value.
Expr Parser::take_value(Block& block) {
  Statement last = std::move(block.statements.back());
  block.statements.pop_back();
  if (auto* node = std::get_if<If>(&last.node)) return as_value(std::move(*node), last.at);
  return std::move(std::get<ExprStatement>(last.node).value);
}

/// An `if` all of whose blocks end in a value, as that.
Expr Parser::as_value(If node, Span at) {
  const auto side = [](Block block) {
    // An `else if` has no block of its own.
    const bool chained = block.statements.size() == 1 && std::holds_alternative<If>(block.statements[0].node) && block.at == block.statements[0].at;
    Expr value = take_value(block);
    if (chained) return value;
    const Span whole = block.at;
    return Expr{.node = BlockExpr{std::move(block), std::move(value)}, .at = whole};
  };
  Expr then = side(std::move(node.then)), otherwise = side(std::move(*node.otherwise));
  return {.node = Ternary{std::move(node.condition), Box<Expr>(std::move(then)), std::move(otherwise), true}, .at = at};
}

/// `if c { …; a } else { …; b }` where a value is expected.
Expr Parser::if_value() {
  const std::uint32_t begin = peek().begin;
  bool is_value = false;
  Statement::Node node = if_statement(is_value);
  if (panic_ || unwinding_) return {.node = Integer{}};
  if (!is_value) {
    error(since(begin), "an `if` that stands for a value has an `else`, and each of its blocks ends with an expression", "without a `;` after it");
    return {.node = Integer{}};
  }
  Expr value = as_value(std::move(std::get<If>(node)), since(begin));
  return link(begin, std::move(value.node));
}

/// (a), (a, b), (a,), (), (name=a, …): casts were seen before.
Expr Parser::parenthesised() {
  const std::uint32_t begin = take().begin;
  if (accept(TokenKind::right_paren)) return link(begin, TupleLiteral{});
  if (at(TokenKind::identifier) && ahead(token_.end).kind == TokenKind::assign) return record_members(begin);
  Expr first = expression();
  if (!at(TokenKind::comma)) {
    if (at(TokenKind::assign)) expected("`)`", "to compare, write `==`");
    expect(TokenKind::right_paren, "after the expression");
    first.in_parentheses = true;
    first.at = since(begin);
    return first;
  }
  std::vector<Expr> members;
  members.push_back(std::move(first));
  take();
  arguments(members, TokenKind::right_paren, "members of a tuple are separated by `,`");
  return link(begin, TupleLiteral{std::move(members)});
}

Expr Parser::record_members(std::uint32_t begin) {
  RecordLiteral record;
  while (!panic_ && !at(TokenKind::right_paren)) {
    std::string name = expect_name("a member's name", TokenKind::identifier);
    expect(TokenKind::assign, "after the member's name", "every member of a record has a name: (x=1, y=2)");
    record.members.emplace_back(std::move(name), expression());
    if (!accept(TokenKind::comma)) break;
  }
  close_list("the members of the record");
  return link(begin, std::move(record));
}

Expr Parser::word() {
  if (at_word("if")) return if_value();
  const Token name = take();
  const std::string_view spelling = text(name);
  if (spelling == "true" || spelling == "false") return link(name.begin, Boolean{spelling == "true"});
  if (is_stack_argument(spelling)) {
    error(span(name), fmt::format("`{}` is not in the language any more", spelling), "arguments on the stack are read from where reg(\"sp\") points");
  }
  if (at(TokenKind::left_paren)) return call(name);
  if (spelling == "struct" || spelling == "union" || spelling == "enum") {
    error(span(name), fmt::format("`{}` begins a type, an expression is expected", spelling), "a cast stands in parentheses: (struct task_struct *)$x");
  }
  return link(name.begin, Identifier{std::string(spelling)});
}

std::string_view Parser::argument_hint(std::string_view function) {
  const bool is_formatted = std::ranges::find(kFormatted, function) != kFormatted.end();
  if (!is_formatted) return "arguments are separated by `,`";
  return at(TokenKind::string) ? "arguments are separated by `,`" : "the format is a string in double quotes: printf(\"%d\\n\", pid)";
}

Expr Parser::call(const Token& name) {
  const std::string_view spelling = text(name);
  if (spelling == "sizeof") return size_of(name.begin);
  if (spelling == "offsetof") return offset_of(name.begin);
  if (spelling == "typeof" || spelling == "typeinfo") return type_of(name.begin, spelling == "typeinfo");
  take();
  Call node{.name = std::string(spelling), .arguments = {}, .name_at = span(name)};
  const std::string_view hint = argument_hint(spelling);
  // An argument that is no expression at all (printf(%d)) gets the hint as well.
  const bool is_unquoted = hint.starts_with("the format") && (at(TokenKind::percent) || at(TokenKind::invalid));
  if (is_unquoted) expected("a string", hint);
  arguments(node.arguments, TokenKind::right_paren, hint);
  return link(name.begin, std::move(node));
}

Expr Parser::size_of(std::uint32_t begin) {
  take();
  if (is_type(true)) {
    SizeOf node{type_name()};
    expect(TokenKind::right_paren, "after the type");
    return link(begin, std::move(node));
  }
  SizeOf node{Box<Expr>(expression())};
  expect(TokenKind::right_paren, "after the expression");
  return link(begin, std::move(node));
}

Expr Parser::offset_of(std::uint32_t begin) {
  constexpr std::string_view kForm = "offsetof(struct task_struct, pid)";
  take();
  OffsetOf node{.of = TypeName{}, .path = {}};
  if (is_type(true)) node.of = type_name();
  else node.of = Box<Expr>(expression());
  expect(TokenKind::comma, "and a field after the type", kForm);
  do {
    node.path.push_back(expect_name("a field's name"));
  } while (accept(TokenKind::dot));
  expect(TokenKind::right_paren, "after the field", kForm);
  return link(begin, std::move(node));
}

Expr Parser::type_of(std::uint32_t begin, bool info) {
  take();
  const std::uint32_t inner = peek().begin;
  TypeOf node{.type = {}, .info = info};
  if (is_type(true)) {
    node.type = type_name();
  } else {
    node.type.tag = TypeName::Tag::type_of;
    node.type.of = expression();
    node.type.at = since(inner);
  }
  expect(TokenKind::right_paren, "after what the type is asked of");
  return link(begin, std::move(node));
}

}  // namespace espy::trace
