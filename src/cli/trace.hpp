// What `espy trace` and `espy top` share: the options of a script, read once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "espy/trace.hpp"

namespace espy::cli {

/// A script and how it is to be compiled, as the words of a command say.
struct TraceJob {
  trace::Sources sources = {};
  std::uint32_t source = 0;
  trace::Config config = {};
  trace::CompileOptions compile = {};
  std::optional<trace::run::Child> child = {};
  std::vector<std::string> stages = {};        ///< of -d
  trace::probes::MachineOptions machine = {};
  bool failed = false;                         ///< set by `compile`: the diagnostics say why
};

/// Reads the script (-e, FILE or standard input) and all options that concern its compilation. Starts the command of -c.
/// `program`: the script's text, where a command takes it as a positional.
Result<TraceJob> trace_job(const Invocation& invocation, std::optional<std::string> program = {});

/// What options and the environment say of the machine: --traceable-functions, --debuginfo, BPFTRACE_BTF.
Result<trace::probes::MachineOptions> machine_options(const Invocation& invocation);

/// Is this stage among those of -d?
bool wants(const std::vector<std::string>& stages, std::string_view stage);

/// Compiles it; prints diagnostics to standard error. nullopt: they say what is wrong, or all is done (--help of a script).
Result<std::optional<trace::Compiled>> compile(TraceJob& job, bool warnings);

/// How it is to run, by the options.
Result<trace::run::RunOptions> run_options(const Invocation& invocation, TraceJob& job);

/// `--info`: what this machine offers to scripts.
std::string machine_report();

}  // namespace espy::cli
