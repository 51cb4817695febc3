// Blocks and statements.
#include <fmt/format.h>

#include <array>

#include "trace/syntax/parse.hpp"
#include "trace/syntax/type_words.hpp"

namespace espy::trace {

namespace {

struct AssignRow {
  TokenKind token;
  std::optional<BinaryOp> op;
};
constexpr std::array kAssignments = std::to_array<AssignRow>({
    {TokenKind::assign, std::nullopt}, {TokenKind::assign_add, BinaryOp::add}, {TokenKind::assign_sub, BinaryOp::sub},
    {TokenKind::assign_mul, BinaryOp::mul}, {TokenKind::assign_div, BinaryOp::div}, {TokenKind::assign_mod, BinaryOp::mod},
    {TokenKind::assign_and, BinaryOp::bit_and}, {TokenKind::assign_or, BinaryOp::bit_or}, {TokenKind::assign_xor, BinaryOp::bit_xor},
    {TokenKind::assign_left, BinaryOp::shift_left}, {TokenKind::assign_right, BinaryOp::shift_right},
});

const AssignRow* assignment(TokenKind kind) {
  if (kind < TokenKind::assign || kind > TokenKind::assign_right) return nullptr;
  for (const AssignRow& row : kAssignments) {
    if (row.token == kind) return &row;
  }
  return nullptr;
}

bool is_target(const Expr& expr) {
  return std::holds_alternative<Variable>(expr.node) || std::holds_alternative<MapAccess>(expr.node);
}

/// Words that begin a probe without a colon after them.
bool is_lone_probe(std::string_view word) {
  return word == "begin" || word == "BEGIN" || word == "end" || word == "END";
}

}  // namespace

Parser::ParsedBlock Parser::block(std::string_view of) {
  ParsedBlock parsed;
  const Nest nest(*this);
  if (too_deep()) return parsed;
  const Token open = peek();
  if (!expect(TokenKind::left_brace, fmt::format("at the beginning of the {}", of),
              "blocks stand in braces, a single statement too")) return parsed;
  while (!unwinding_) {
    while (accept(TokenKind::semicolon)) parsed.ends_in_value = false;
    if (accept(TokenKind::right_brace)) break;
    if (at(TokenKind::end)) {
      // Where one is missing, all blocks around lack theirs too: said once.
      // A comment without end may have swallowed it, which the root says.
      if (lexer_.comment_is_open()) panic_ = true;
      if (Diagnostic* diagnostic = error(span(previous_end_, previous_end_), "missing `}` at the end of the script")) {
        diagnostic->notes.push_back({span(open), fmt::format("the block of this {} is open", of)});
      }
      unwinding_ = true;
      break;
    }
    if (begins_probe()) {
      if (Diagnostic* diagnostic = error(span(peek()), "a probe cannot begin inside a block", "is a `}` missing before it?")) {
        diagnostic->notes.push_back({span(open), fmt::format("the block of this {} is open", of)});
      }
      unwinding_ = true;
      break;
    }
    Statement next = statement(parsed.ends_in_value);
    if (panic_) recover_statement();
    else if (!unwinding_) parsed.block.statements.push_back(std::move(next));
  }
  parsed.block.at = since(open.begin);
  return parsed;
}

Block Parser::body(std::string_view of) { return block(of).block; }

/// `kprobe:f {`, `begin {`: what a forgotten brace makes of the next probe.
bool Parser::begins_probe() {
  if (!at(TokenKind::identifier)) return false;
  const Token name = token_, next = lexer_.next(name.end);
  if (next.kind == TokenKind::colon) return next.begin == name.end;
  return next.kind == TokenKind::left_brace && is_lone_probe(text(name));
}

Statement Parser::statement(bool& is_value) {
  is_value = false;
  if (expression_depth_ == 0) links_ = 0;
  const std::uint32_t begin = peek().begin;
  Statement::Node node = simple_statement(is_value);
  return {std::move(node), since(begin)};
}

Statement::Node Parser::simple_statement(bool& is_value) {
  if (at(TokenKind::left_brace)) return body("block");
  if (at(TokenKind::identifier)) {
    if (auto node = word_statement(is_value)) return std::move(*node);
  }
  Expr target = expression();
  const AssignRow* row = assignment(peek().kind);
  if (!row) {
    is_value = at(TokenKind::right_brace);
    const auto* name = std::get_if<Identifier>(&target.node);
    if (name && at(TokenKind::variable) && is_type_word(name->name)) {
      expected("a statement", fmt::format("a variable is declared like this: let ${} : {};", text(token_).substr(1), name->name));
    }
    // What a block gives needs no `;` after it.
    if (!std::holds_alternative<BlockExpr>(target.node)) end_statement();
    return ExprStatement{std::move(target)};
  }
  take();
  if (const auto* name = std::get_if<Identifier>(&target.node); name && name->name == "_" && !row->op) {
    Expr value = expression();
    end_statement();
    return Discard{std::move(value)};
  }
  if (!is_target(target)) {
    error(target.at, fmt::format("`{}` cannot be assigned to", text_.substr(target.at.begin, std::min(40U, target.at.end - target.at.begin))),
          std::holds_alternative<Identifier>(target.node) ? "variables begin with `$`, maps with `@`"
                                                          : "only variables and maps take values");
    return ExprStatement{std::move(target)};
  }
  Expr value = expression();
  end_statement();
  return Assign{std::move(target), row->op, std::move(value)};
}

void Parser::end_statement() {
  // At the end of the script it is the block that has something to say.
  if (panic_ || at(TokenKind::right_brace) || at(TokenKind::end) || accept(TokenKind::semicolon)) return;
  expected("`;` or `}` after the statement");
}

std::optional<Statement::Node> Parser::word_statement(bool& is_value) {
  const std::string_view word = text(peek());
  const auto alone = [&](Statement::Node node) {
    take();
    end_statement();
    return node;
  };
  if (word == "if") {
    Statement::Node node = if_statement(is_value);
    is_value = is_value && at(TokenKind::right_brace);
    return node;
  }
  if (word == "for") return for_statement();
  if (word == "let") return declaration();
  if (word == "break") return alone(Break{});
  if (word == "continue") return alone(Continue{});
  if (word == "while") {
    take();
    Expr test = condition("while");
    return While{std::move(test), body("while")};
  }
  if (word == "unroll") {
    take();
    Expr count = condition("unroll");
    return Unroll{std::move(count), body("unroll")};
  }
  if (word == "return") {
    take();
    Return result{.value = {}};
    if (!at(TokenKind::semicolon) && !at(TokenKind::right_brace)) result.value = expression();
    end_statement();
    return result;
  }
  if (word == "import") {
    Import path = import();
    end_statement();
    return path;
  }
  if (word == "else") {
    expected("a statement", "`else` follows the `}` of an `if` at once, without a `;`");
    return ExprStatement{};
  }
  return std::nullopt;
}

/// What stands between a word and its block, with or without parentheses around it. For `unroll` it is the number of turns.
Expr Parser::condition(std::string_view of) {
  if (at(TokenKind::left_brace)) expected(fmt::format("a condition after `{}`", of));
  Expr value = expression();
  value.in_parentheses = false;
  if (std::holds_alternative<RecordLiteral>(value.node)) {
    error(value.at, fmt::format("the condition of `{}` is a record", of), "to compare, write `==`");
  } else if (at(TokenKind::assign)) {
    expected(fmt::format("`{{` after the condition of `{}`", of), "to compare, write `==`");
  } else if (!panic_ && !at(TokenKind::left_brace)) {
    expected(fmt::format("`{{` after `{}`", of), "the body stands in braces, a single statement too");
  }
  return value;
}

/// `is_value`: every block ends in an expression, so that it may stand for a value.
Statement::Node Parser::if_statement(bool& is_value) {
  const Nest nest(*this);
  is_value = false;
  take();
  if (too_deep()) return ExprStatement{};
  Expr test = condition("if");
  ParsedBlock then = block("if");
  If node{.condition = std::move(test), .then = std::move(then.block), .otherwise = {}};
  if (panic_ || !accept_word("else")) return node;
  if (at_word("if")) {
    const std::uint32_t begin = peek().begin;
    Block chained;
    Statement::Node next = if_statement(is_value);
    chained.at = since(begin);
    chained.statements.push_back({std::move(next), chained.at});
    node.otherwise = std::move(chained);
  } else {
    ParsedBlock otherwise = block("else");
    is_value = otherwise.ends_in_value;
    node.otherwise = std::move(otherwise.block);
  }
  is_value = is_value && then.ends_in_value;
  return node;
}

Statement::Node Parser::for_statement() {
  constexpr std::string_view kForm = "for ($kv : @map) { … } or for ($i : 0..10) { … }";
  take();
  const bool is_closed = accept(TokenKind::left_paren);
  Variable binding{expect_name("a variable after `for`", TokenKind::variable)};
  expect(TokenKind::colon, "after the variable", kForm);
  Expr over = expression();
  if (accept(TokenKind::dot_dot)) {
    Expr to = expression();
    if (is_closed) expect(TokenKind::right_paren, "after the range");
    if (panic_) return ExprStatement{};
    return ForRange{std::move(binding), std::move(over), std::move(to), body("for")};
  }
  if (panic_) return ExprStatement{};
  auto* map = std::get_if<MapAccess>(&over.node);
  if (!map || map->key) {
    error(over.at, map ? "`for` goes over a whole map, without a key" : "`for` goes over a map or a range", kForm);
    return ExprStatement{};
  }
  if (is_closed) expect(TokenKind::right_paren, "after the map");
  if (panic_) return ExprStatement{};
  MapAccess whole = std::move(*map);
  return ForMap{std::move(binding), std::move(whole), body("for"), over.at};
}

Statement::Node Parser::declaration() {
  take();
  Declare node{.variable = {}, .type = {}, .value = {}};
  node.name_at = span(peek());
  node.variable.name = expect_name("a variable after `let`", TokenKind::variable);
  if (accept(TokenKind::colon)) node.type = type_name();
  if (accept(TokenKind::assign)) node.value = expression();
  end_statement();
  return node;
}

Import Parser::import() {
  const std::uint32_t begin = position();
  take();
  Import node{.path = {}};
  if (!at(TokenKind::string)) {
    expected("a path in quotes after `import`", "import \"file.bt\";");
    return node;
  }
  const Token path = take();
  node.path = unescape(text(path));
  node.path_at = span(path);
  node.at = since(begin);
  return node;
}

}  // namespace espy::trace
