// Macros: a use is replaced by a copy of the body.
//
// Copies are hygienic. A body's own variables get a name that no script can write (`x#3`, one number for each use), so that
// they meet none of the user's; what stands for a parameter is put in as a tree, so that precedence cannot change it, and
// keeps the user's names. Maps are global, so a body may use only those that it is given. Every node of a copy is placed in
// an expansion of the source (Sources::add_expansion), which leads errors to both places. Arguments are expanded before they
// are put in, bodies after, with the stack of macros that are being expanded: one that is on it already would never end.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "trace/expand/expand.hpp"
#include "trace/syntax/print.hpp"
#include "trace/syntax/walk.hpp"

namespace espy::trace {

namespace {

constexpr unsigned kDeepest = 3000;          // of the tree, so that walks may recurse
constexpr std::size_t kMostNodes = 200000;  // made by copies, so that doubling macros end
constexpr std::size_t kMostNested = 64;

using Kind = MacroParameter::Kind;

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::variable: return "a variable";
    case Kind::map: return "a map without keys";
    case Kind::expression: return "an expression";
  }
  return {};
}

/// Can this be given for the parameter? A `$x` that is only read takes any expression, as it would without the `$`.
bool fits(const MacroParameter& parameter, const Expr& argument) {
  if (parameter.kind != Kind::map) return true;
  const auto* map = std::get_if<MapAccess>(&argument.node);
  return map && !map->key;
}

/// The one to take where several would do: a variable for `$x`.
bool fits_best(const MacroParameter& parameter, const Expr& argument) {
  return parameter.kind == Kind::variable ? std::holds_alternative<Variable>(argument.node) : fits(parameter, argument);
}

std::string signature(const Macro& macro) {
  std::string text = macro.name + "(";
  for (const MacroParameter& parameter : macro.parameters) {
    if (&parameter != &macro.parameters.front()) text += ", ";
    text += parameter.kind == Kind::variable ? "$" : parameter.kind == Kind::map ? "@" : "";
    text += parameter.name;
  }
  return text + ")";
}

/// How many nodes a tree has.
struct Counter {
  void expr(Expr& expr) { ++nodes, each_child(expr, *this); }
  void type(TypeName& type) { each_child(type, *this); }
  void block(Block& block) {
    for (Statement& statement : block.statements) ++nodes, each_child(statement, *this);
  }
  std::size_t nodes = 0;
};

/// Puts the arguments of one use into a copy of the body.
class Substitution {
 public:
  Substitution(const Macro& macro, std::vector<Expr> arguments, std::uint32_t source, std::size_t number, Diagnostics& diagnostics)
      : macro_(macro), arguments_(std::move(arguments)), source_(source), suffix_(fmt::format("#{}", number)), diagnostics_(diagnostics) {
    for (Expr& argument : arguments_) {
      Counter counter;
      counter.expr(argument);
      sizes_.push_back(counter.nodes);
    }
  }

  void expr(Expr& expr) {
    ++nodes_;
    expr.at.source = source_;
    if (const auto* name = std::get_if<Identifier>(&expr.node)) {
      if (const Expr* argument = find(Kind::expression, name->name)) return put(expr, *argument);
    }
    if (auto* variable = std::get_if<Variable>(&expr.node)) {
      if (const Expr* argument = find(Kind::variable, variable->name); argument && !std::holds_alternative<Variable>(argument->node)) return put(expr, *argument);
      rename(*variable);
    }
    if (auto* map = std::get_if<MapAccess>(&expr.node)) rename(*map, expr.at);
    if (auto* offset = std::get_if<OffsetOf>(&expr.node)) rename(offset->path);
    if (auto* call = std::get_if<Call>(&expr.node)) call->name_at.source = source_;
    if (auto* member = std::get_if<Member>(&expr.node)) member->name_at.source = source_;
    if (auto* binary = std::get_if<Binary>(&expr.node)) binary->op_at.source = source_;
    each_child(expr, *this);
    if (auto* size = std::get_if<SizeOf>(&expr.node)) settle(size->of);
    if (auto* offset = std::get_if<OffsetOf>(&expr.node)) settle(offset->of);
  }

  void block(Block& block) {
    block.at.source = source_;
    for (Statement& statement : block.statements) {
      ++nodes_;
      statement.at.source = source_;
      if (auto* node = std::get_if<Declare>(&statement.node)) rename(node->variable), node->name_at.source = source_;
      if (auto* node = std::get_if<ForRange>(&statement.node)) rename(node->binding);
      if (auto* node = std::get_if<ForMap>(&statement.node)) {
        rename(node->binding);
        node->map_at.source = source_;
        rename(node->map, node->map_at);
      }
      each_child(statement, *this);
    }
  }

  /// `typeof(parameter)`, `(parameter *)x`: an argument that is a type takes its place.
  void type(TypeName& type) {
    type.at.source = source_;
    const Identifier* asked = type.of ? std::get_if<Identifier>(&(*type.of)->node) : nullptr;
    const std::string name = asked ? asked->name : type.tag == TypeName::Tag::plain ? type.name : std::string();
    const Expr* argument = find(Kind::expression, name);
    const TypeOf* given = argument ? std::get_if<TypeOf>(&argument->node) : nullptr;
    const Identifier* named = argument && !asked ? std::get_if<Identifier>(&argument->node) : nullptr;
    if (given) {
      TypeName whole = given->type;
      whole.suffixes.insert(whole.suffixes.end(), type.suffixes.begin(), type.suffixes.end());
      type = std::move(whole);
    } else if (named) {
      type.name = named->name;
    } else {
      each_child(type, *this);
    }
  }

  std::size_t nodes() const { return nodes_; }

 private:
  const Expr* find(Kind kind, std::string_view name) const {
    for (std::size_t number = 0; number < arguments_.size(); ++number) {
      const MacroParameter& parameter = macro_.parameters[number];
      if (parameter.kind == kind && parameter.name == name) return &arguments_[number];
    }
    return nullptr;
  }

  /// sizeof(parameter), whose argument is a type.
  static void settle(std::variant<TypeName, Box<Expr>>& of) {
    auto* expr = std::get_if<Box<Expr>>(&of);
    auto* type = expr ? std::get_if<TypeOf>(&(*expr)->node) : nullptr;
    if (!type || type->info) return;
    TypeName name = std::move(type->type);
    of = std::move(name);
  }

  void put(Expr& into, const Expr& argument) {
    const auto number = static_cast<std::size_t>(&argument - arguments_.data());
    const auto* parameter = &macro_.parameters[number];
    nodes_ += sizes_[number];
    if (nodes_ > kMostNodes) return;  // whoever counts all copies says so
    if (parameter->type) into.node = Cast{*parameter->type, argument};
    else into = argument;
  }

  void rename(Variable& variable) {
    const Expr* argument = find(Kind::variable, variable.name);
    const auto* given = argument ? std::get_if<Variable>(&argument->node) : nullptr;
    variable.name = given ? given->name : variable.name + suffix_;
  }

  void rename(MapAccess& map, Span at) {
    if (const Expr* argument = find(Kind::map, map.name)) {
      map.name = std::get<MapAccess>(argument->node).name;
      return;
    }
    diagnostics_.error(at, fmt::format("macro `{}` uses @{}, which is not one of its parameters", macro_.name, map.name),
                       fmt::format("give it the map: macro {}(…, @{})", macro_.name, map.name));
  }

  void rename(std::vector<std::string>& path) {
    for (std::string& field : path) {
      const Expr* argument = find(Kind::expression, field);
      if (argument && std::holds_alternative<Identifier>(argument->node)) field = std::get<Identifier>(argument->node).name;
    }
  }

  const Macro& macro_;
  std::vector<Expr> arguments_;
  std::vector<std::size_t> sizes_;  // nodes of each argument
  std::uint32_t source_;
  std::string suffix_;
  Diagnostics& diagnostics_;
  std::size_t nodes_ = 0;
};

class Expander {
 public:
  Expander(std::vector<Macro> macros, Sources& sources, Diagnostics& diagnostics)
      : macros_(std::move(macros)), sources_(sources), diagnostics_(diagnostics) {
    for (const Macro& macro : macros_) declare(macro);
  }

  void expr(Expr& expr) {
    ++depth_;
    if (!too_deep(expr.at)) {
      each_child(expr, *this);
      if (const Macro* macro = used(expr)) replace(expr, *macro);
    }
    --depth_;
  }

  void block(Block& block) {
    ++depth_;
    for (Statement& statement : block.statements) {
      if (too_deep(statement.at)) break;
      auto* alone = std::get_if<ExprStatement>(&statement.node);
      if (!alone) {
        each_child(statement, *this);
        continue;
      }
      each_child(alone->value, *this);
      const Macro* macro = used(alone->value);
      if (!macro) continue;
      if (macro->has_value) {
        replace(alone->value, *macro);
      } else if (auto copy = copy_of(*macro, alone->value)) {
        statement.node = std::move(copy->block);
      }
    }
    --depth_;
  }

  void type(TypeName& type) { each_child(type, *this); }

 private:
  void declare(const Macro& macro) {
    auto& overloads = by_name_[macro.name];
    for (const Macro* other : overloads) {
      if (!std::ranges::equal(other->parameters, macro.parameters, {}, &MacroParameter::kind, &MacroParameter::kind)) continue;
      diagnostics_.error(macro.at, fmt::format("macro `{}` is there already", signature(macro)))
          .notes.push_back({other->at, "the other one is here"});
      return;
    }
    for (const MacroParameter& parameter : macro.parameters) {
      const auto same = [&](const MacroParameter& other) { return other.name == parameter.name && other.kind == parameter.kind; };
      if (&*std::ranges::find_if(macro.parameters, same) == &parameter) continue;
      diagnostics_.error(parameter.at, fmt::format("macro `{}` has two parameters of this name", macro.name));
    }
    overloads.push_back(&macro);
  }

  bool too_deep(Span at) {
    if (gave_up_) return true;
    if (depth_ <= kDeepest && nodes_ <= kMostNodes) return false;
    diagnostics_.error(at, "the macros of this script expand to too much");
    return gave_up_ = true;
  }

  /// The macro that an expression is a use of; null: none. Which one fits the arguments is found here.
  const Macro* used(const Expr& expr) {
    const auto* call = std::get_if<Call>(&expr.node);
    const auto* word = std::get_if<Identifier>(&expr.node);
    if (!call && !word) return nullptr;
    const auto found = by_name_.find(call ? call->name : word->name);
    if (found == by_name_.end()) return nullptr;
    const std::size_t count = call ? call->arguments.size() : 0;
    const Macro *same_count = nullptr, *possible = nullptr;
    for (const Macro* macro : found->second) {
      if (macro->parameters.size() != count) continue;
      if (!same_count) same_count = macro;
      bool can = true, best = true;
      for (std::size_t number = 0; number < count; ++number) {
        can = can && fits(macro->parameters[number], call->arguments[number]);
        best = best && fits_best(macro->parameters[number], call->arguments[number]);
      }
      if (best) return macro;
      if (can && !possible) possible = macro;
    }
    if (possible) return possible;
    if (same_count) {
      wrong_kind(*same_count, *call);
    } else if (call && !found->second.empty()) {
      wrong_count(expr.at, found->first, count, found->second);
    }
    return nullptr;
  }

  void wrong_kind(const Macro& macro, const Call& call) {
    for (std::size_t number = 0; number < call.arguments.size(); ++number) {
      const MacroParameter& parameter = macro.parameters[number];
      if (fits(parameter, call.arguments[number])) continue;
      diagnostics_.error(call.arguments[number].at, fmt::format("macro `{}` wants {} here", macro.name, kind_name(parameter.kind)))
          .notes.push_back({parameter.at, "the parameter is here"});
    }
  }

  void wrong_count(Span at, std::string_view name, std::size_t count, const std::vector<const Macro*>& overloads) {
    Diagnostic& diagnostic = diagnostics_.error(at, fmt::format("no macro `{}` takes {} argument{}", name, count, count == 1 ? "" : "s"));
    for (const Macro* macro : overloads) diagnostic.notes.push_back({macro->at, fmt::format("this one is {}", signature(*macro))});
  }

  void replace(Expr& expr, const Macro& macro) {
    if (!macro.has_value) {
      diagnostics_.error(expr.at, fmt::format("macro `{}` gives no value", macro.name), "its body would have to end with an expression, without a `;`")
          .notes.push_back({macro.at, "it is defined here"});
      return;
    }
    auto copy = copy_of(macro, expr);
    if (!copy) return;
    if (copy->block.statements.empty()) {
      Expr value = std::move(*copy->value);
      expr = std::move(value);
    } else {
      expr.node = std::move(*copy);
    }
  }

  /// The body of a macro with the arguments of a use put in, expanded itself.
  std::optional<BlockExpr> copy_of(const Macro& macro, Expr& use) {
    const auto on_stack = std::ranges::find(stack_, &macro);
    if (on_stack != stack_.end() || stack_.size() >= kMostNested) {
      diagnostics_.error(use.at, on_stack != stack_.end() ? fmt::format("macro `{}` expands to a use of itself", macro.name)
                                                          : std::string("macros are nested too deeply"),
                         "macros cannot recurse; loop with `while` or `for`");
      return std::nullopt;
    }
    auto* call = std::get_if<Call>(&use.node);
    const std::uint32_t source = sources_.add_expansion(macro.at.source, {.at = use.at, .macro = macro.name});
    Substitution substitution(macro, call ? std::move(call->arguments) : std::vector<Expr>{}, source, ++uses_, diagnostics_);
    BlockExpr body = macro.body;
    substitution.block(body.block);
    if (macro.has_value) substitution.expr(*body.value);
    nodes_ += substitution.nodes() + 1;
    stack_.push_back(&macro);
    block(body.block);
    if (macro.has_value) expr(*body.value);
    stack_.pop_back();
    return body;
  }

  std::vector<Macro> macros_;
  std::map<std::string, std::vector<const Macro*>, std::less<>> by_name_;
  Sources& sources_;
  Diagnostics& diagnostics_;
  std::vector<const Macro*> stack_;
  std::size_t uses_ = 0, nodes_ = 0;
  unsigned depth_ = 0;
  bool gave_up_ = false;
};

}  // namespace

void expand_macros(Script& script, Sources& sources, Diagnostics& diagnostics) {
  if (script.macros.empty()) return;
  Expander expander(std::exchange(script.macros, {}), sources, diagnostics);
  each_child(script, expander);
}

}  // namespace espy::trace
