// Walks a syntax tree: every expression and statement in it, outer before inner, in the order in which they stand.
#pragma once

#include <functional>
#include <set>

#include "trace/syntax/ast.hpp"

namespace espy::trace::lowering {

struct Visitor {
  std::function<void(const Expr&)> expr = {};
  std::function<void(const Statement&)> statement = {};
};

void walk(const Expr& e, const Visitor& visitor);
void walk(const Statement& statement, const Visitor& visitor);
void walk(const Block& block, const Visitor& visitor);

/// The builtin `probe`.
bool is_probe_name(const Expr& e);

/// Variables that a piece of script uses, by id, and those that it changes.
struct VariableUse {
  std::set<std::uint32_t> used, changed, address_taken;
  bool returns = false;   ///< it may leave the probe: return, exit()
};
VariableUse variables_of(const Block& block);
VariableUse variables_of(const Expr& e);

/// Variables that decide how often a loop with a back edge turns: the verifier has to follow them.
std::set<std::uint32_t> decide_turns(const Block& block);

}  // namespace espy::trace::lowering
