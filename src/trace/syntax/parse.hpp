// The recursive-descent parser, one method for each thing of the grammar; private to the parser's files.
//
// Errors. The first error of a statement sets `panic_`; from then on every look at the next token sees the end of the script,
// so that all loops and recursions run out by themselves without a check anywhere, and further errors are not recorded.
// Whoever can go on (a block at the next statement, the root at the next item) clears it and skips to a place to go on from.
// A block that turns out to lack its `}` (a probe begins inside it, or the script ends) sets `unwinding_`, which only the
// root clears.
//
// Reading. Tokens are read on demand, one ahead: the root works on bytes, because attach points are taken as they are
// written. Where more than one token must be seen ahead (is this a cast?), the lexer, which keeps no state, reads them again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trace/syntax/ast.hpp"
#include "trace/syntax/lexer.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

class Parser {
 public:
  Parser(const Sources& sources, std::uint32_t source, Diagnostics& diagnostics)
      : text_(sources.source(source).text), source_(source), lexer_(text_), diagnostics_(diagnostics) {}
  Script script();

 private:
  // Blocks and statements
  struct ParsedBlock {
    Block block;
    bool ends_in_value = false;  // the last statement is an expression without `;`, or an `if` all of whose blocks end in one
  };
  struct Nest {  // counts how deep the grammar has recursed
    explicit Nest(Parser& parser) : parser(parser) { ++parser.depth_; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    ~Nest() { --parser.depth_; }
    Parser& parser;
  };

  // tokens (parse.cpp)
  const Token& peek();
  Token take();
  bool at(TokenKind kind) { return peek().kind == kind; }
  bool at_word(std::string_view word);
  bool accept(TokenKind kind);
  bool accept_word(std::string_view word);
  bool expect(TokenKind kind, std::string_view after, std::string_view hint = {});
  void close_list(std::string_view of);
  std::string expect_name(std::string_view what, TokenKind kind = TokenKind::identifier);
  Token ahead(std::uint32_t offset) { return lexer_.next(offset); }
  std::uint32_t position() const { return have_token_ ? token_.begin : position_; }
  void seek(std::uint32_t offset) { position_ = offset, have_token_ = false; }
  std::string_view text(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }
  Span span(std::uint32_t begin, std::uint32_t end) const { return {begin, end, source_}; }
  Span span(const Token& token) const { return span(token.begin, token.end); }
  Span since(std::uint32_t begin) const { return span(begin, std::max(begin, previous_end_)); }
  // errors (parse.cpp)
  Diagnostic* error(Span at, std::string message, std::string_view hint = {});
  void expected(std::string_view what, std::string_view hint = {});
  std::string found(const Token& token) const;
  bool too_deep();
  void recover_statement();
  void recover_root();

  // root (parse_root.cpp)
  void root_item(Script& script);
  void shebang();
  void preamble(Script& script);
  std::uint32_t end_of_directive(std::uint32_t at) const;
  std::uint32_t end_of_definition(std::uint32_t at);
  void config(Script& script);
  void map_declaration(Script& script);
  void macro(Script& script);
  MacroParameter macro_parameter();
  void subprogram(Script& script);
  void probe(Script& script);
  AttachPointText attach_point();
  bool begins_predicate(std::uint32_t slash, std::uint32_t begin) const;
  void keep_comments(Script& script);
  char byte(std::uint32_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // statements (parse_statement.cpp)
  ParsedBlock block(std::string_view of);
  Block body(std::string_view of);
  Statement statement(bool& is_value);
  bool begins_probe();
  Statement::Node simple_statement(bool& is_value);
  std::optional<Statement::Node> word_statement(bool& is_value);
  Statement::Node if_statement(bool& is_value);
  Statement::Node for_statement();
  Statement::Node declaration();
  Import import();
  void end_statement();
  Expr condition(std::string_view of);

  // expressions (parse_expr.cpp, parse_primary.cpp)
  Expr expression();
  Expr binary(unsigned least);
  Expr unary();
  Expr postfix();
  Expr suffixes(Expr object);
  Expr primary();
  Expr parenthesised();
  Expr record_members(std::uint32_t begin);
  Expr block_value();
  Expr if_value();
  static Expr take_value(Block& block);
  static Expr as_value(If node, Span at);
  Expr map_access();
  Expr word();
  Expr call(const Token& name);
  Expr size_of(std::uint32_t begin);
  Expr offset_of(std::uint32_t begin);
  Expr type_of(std::uint32_t begin, bool info);
  void arguments(std::vector<Expr>& list, TokenKind close, std::string_view hint);
  std::string_view argument_hint(std::string_view function);
  Expr link(std::uint32_t begin, Expr::Node node);

  // types (parse_type.cpp)
  TypeName type_name();
  void type_suffixes(TypeName& type);
  bool is_cast();
  bool is_type(bool lenient);
  std::uint32_t skip_parentheses(std::uint32_t offset);
  std::uint32_t skip_type_suffixes(std::uint32_t offset, bool& any);

  std::string_view text_;  // the source's
  std::uint32_t source_;
  Lexer lexer_;
  Diagnostics& diagnostics_;
  Token token_ = {};
  bool have_token_ = false;
  std::uint32_t position_ = 0, previous_end_ = 0;
  bool panic_ = false, unwinding_ = false, in_predicate_ = false;
  unsigned depth_ = 0, expression_depth_ = 0, links_ = 0, errors_ = 0;
  bool last_was_preamble_ = false;
};

}  // namespace espy::trace
