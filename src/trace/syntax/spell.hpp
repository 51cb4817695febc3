// Writes expressions as the language spells them; what the formatter and messages have in common. Private to the folder.
#pragma once

#include <functional>
#include <string>

#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

class Speller {
 public:
  /// Strings are spelled as in `sources`, if given. `block` writes a block expression, on one line.
  using WriteBlock = std::function<std::string(const BlockExpr&)>;
  Speller(const Sources* sources, WriteBlock block) : sources_(sources), block_(std::move(block)) {}

  std::string expr(const Expr& expr, unsigned least = 0) const;
  std::string type(const TypeName& type) const;
  std::string map(const MapAccess& map) const;

 private:
  std::string node(const Expr& expr) const;
  std::string list(const std::vector<Expr>& list) const;
  std::string unary(const Unary& unary) const;
  std::string of(const std::variant<TypeName, Box<Expr>>& of) const;

  const Sources* sources_;
  WriteBlock block_;
};

}  // namespace espy::trace
