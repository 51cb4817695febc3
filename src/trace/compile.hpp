// compile: a script's text becomes programs and the plan of their run time. The stages, in order, each a function of values:
//
//   parse ─► expand (imports, macros, parameters) ─► C types ─► check (probes, names, types) ─► lower ─► Compiled
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace/expand/expand.hpp"
#include "trace/lower/lower.hpp"
#include "trace/plan.hpp"
#include "trace/probes/machine.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

struct CompileOptions {
  ScriptArguments arguments = {};
  std::vector<std::string> include_directories = {}, include_files = {};
  bool allow_unsafe = false;
  bool must_attach = true;                      ///< a probe that this kernel cannot serve is an error
  Environment environment = {};                 ///< BPFTRACE_* variables, which go over the script's config block; null: none
  std::optional<int> pid = {};                  ///< -p
  std::optional<int> child = {};                ///< of -c
  bool without_kernel = false;                  ///< for the user engine: probes that only a kernel fires are errors
  std::vector<std::string> without = {};        ///< abilities of probes that are left unused: probes::take_away
  std::function<bool(std::string_view name)> wanted = {};   ///< which of the script's probes, by name; empty: all
  LowerOptions lower = {};                      ///< what is compiled for; the driver fills in what follows from the rest
  /// Sees each stage's result as text, if it asks for that stage.
  std::function<bool(std::string_view stage)> wants = {};
  std::function<void(std::string_view stage, std::string_view text)> show = {};
};

/// What came of it. Without `script`, the diagnostics say why, or `error` does.
struct Compilation {
  std::optional<Compiled> script = {};
  Diagnostics diagnostics = {};
  std::optional<Error> error = {};
  std::optional<std::string> help = {};         ///< `--help` was among the script's arguments: its text
};

/// Compiles one source for a machine. `stage` names: "ast", "types", "ir", "optimised", "bpf".
Compilation compile(Sources& sources, std::uint32_t source, probes::Machine& machine, const Config& config, const CompileOptions& options);

}  // namespace espy::trace
