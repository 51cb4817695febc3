// The formatter; private to its files.
//
// Statements are written in the order in which they stand in the source. Comments are not in the tree: before a statement is
// written, those that stand before it in the source are; after it, those behind it on its last line. What stands inside a
// statement comes after it. Blank lines are asked of the source in the same way.
#pragma once

#include <string>
#include <string_view>

#include "trace/syntax/spell.hpp"

namespace espy::trace {

class Formatter {
 public:
  /// Without a script: statements alone, on one line.
  Formatter(const Script* script, const Sources* sources);
  std::string script();
  std::string inline_block(const BlockExpr& block);

 private:
  // the page (format.cpp)
  void line_begin();
  void line_end();
  void comments_before(std::uint32_t position);
  void comments_behind(std::uint32_t position);
  void blank_line_before(std::uint32_t position);
  bool is_same_line(std::uint32_t from, std::uint32_t to) const;
  // the root (format.cpp)
  void root(const struct RootItem& item);
  void config();
  void probe(const Probe& probe);
  void macro(const Macro& macro);
  void subprogram(const Subprogram& function);
  // statements (format_statement.cpp)
  void block(const Block& block, const Expr* value = nullptr);
  void statement(const Statement& statement);
  void body(const Statement::Node& node);
  void if_chain(const If& node);
  void simple(std::string text, const Expr* wrap = nullptr);
  std::string wrapped(const std::string& text, const Expr& expr) const;

  const Script* script_;
  const Sources* sources_;
  std::string_view text_;  // of the script's source
  Speller speller_;
  std::string out_;
  unsigned indent_ = 0;
  bool inline_ = false;
  std::size_t next_comment_ = 0;
  std::uint32_t done_ = 0;     // where in the source what is written ends
  bool block_begins_ = true;   // nothing is written in this block yet
};

}  // namespace espy::trace
