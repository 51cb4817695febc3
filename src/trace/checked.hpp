// Checked: a script whose names and types are settled, one body for each program that will be made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trace/config.hpp"
#include "trace/plan.hpp"
#include "trace/probes/plan.hpp"
#include "trace/syntax/ast.hpp"

namespace espy::trace {

struct CheckedVariable {
  std::string name;
  Type type;
};

/// A map of the script with the types that all its uses agree on.
struct CheckedMap {
  std::string name;               ///< without the `@`
  Type key = {};                  ///< Kind::none: a scalar map
  Type value = {};
  std::string declared_kind = {}; ///< of `let @m = lruhash(…)`; empty: not declared
  std::uint32_t max_entries = 0;  ///< 0: the configured number
  bool is_iterated = false;       ///< by for ($kv : @m), len(), or read as a whole inside programs
  Span at = {};                   ///< its first use
};

/// A probe block as one program runs it: the body with every expression typed for this instance's arguments.
struct CheckedProbe {
  probes::Instance instance;
  std::optional<Expr> predicate;
  Block body;
  std::vector<CheckedVariable> variables;   ///< by Variable::id; unique in the program, whatever their scopes
  Span at = {};
  std::optional<std::uint32_t> returns = {};  ///< index of the probe of the same functions' returns that shares its program (sessions.hpp)
  bool is_joined = false;                   ///< this is such a probe
};

struct CheckedSubprogram {
  std::string name;
  std::vector<CheckedVariable> variables;   ///< the parameters first
  std::uint32_t parameters = 0;
  Type returns;
  Block body;
  Span at = {};
};

struct Checked {
  Config config;
  std::vector<CheckedMap> maps;
  std::vector<CheckedProbe> probes;
  std::vector<CheckedSubprogram> subprograms;
  /// One for each call of an asynchronous function (Call::action): format pieces and the types of arguments settled;
  /// lowering adds offsets, sizes and the map's index.
  std::vector<Action> actions;
  std::vector<std::string> formats;         ///< strftime's, by index
  std::vector<std::string> cgroup_filters;
};

}  // namespace espy::trace
