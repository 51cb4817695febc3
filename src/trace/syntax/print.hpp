// Trees as text: as the language spells them, formatted (--fmt), and as a tree for people to look at (-d ast).
#pragma once

#include <string>

#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

/// As the language spells it, on one line, with the parentheses that were written and those that it needs.
std::string to_string(const Expr& expr);
std::string to_string(const TypeName& type);

/// A script in its one canonical form: two spaces for each level, one statement a line, comments and single blank lines
/// kept. Formatting again changes nothing, and the result parses to the same tree. `script` must have been parsed from one
/// of `sources` without errors and not been expanded.
std::string format(const Script& script, const Sources& sources);

/// The tree, a node a line, children indented; behind what has been checked stand ` :: ` and its type.
std::string dump(const Script& script);
std::string dump(const Block& block, unsigned indent = 0);
std::string dump(const Expr& expr, unsigned indent = 0);

}  // namespace espy::trace
