// `espy top`: a script's maps, redrawn while it runs.
#include "cli/trace.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"PROGRAM", "the script: its maps are shown"}, {"ARGUMENT", "arguments of the script", Arity::any}};
constexpr Option kOptions[] = {
    {.name = "--every", .value = "DURATION", .help = "how often it is redrawn; 1s if not said"},
    {.name = "--pid", .value = "PID", .help = "probes of this process only, where they can; end when it ends", .letter = 'p'},
    {.name = "--cmd", .value = "COMMAND", .help = "run a command once all is attached, and end when it ends", .letter = 'c'},
    {.name = "--include-dir", .value = "DIR", .help = "look here for headers and imports", .repeat = Repeat::many, .letter = 'I'},
    {.name = "--unsafe", .value = {}, .help = "allow functions that change the system"},
};
constexpr Example kExamples[] = {
    {"espy top 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'", "who makes system calls, live"},
    {"espy top 'profile:hz:99 { @[kstack(3)] = count(); }'", "where the kernel spends its time, live"},
};
constexpr std::string_view kDescription =
    "Runs a script of the tracing language and shows its maps in the terminal, sorted, with what was added each second; q ends it. "
    "Where standard output is no terminal, the maps are printed every period instead.";

Result<int> run(const Invocation& invocation) {
  TraceJob job = TRY(trace_job(invocation, invocation.positionals.front()));
  std::optional<trace::Compiled> compiled = TRY(compile(job, true));
  if (!compiled) return kFailed;
  trace::run::RunOptions options = TRY(run_options(invocation, job));
  options.output.quiet = true;
  const std::chrono::milliseconds period(TRY(parse_duration(invocation.value("--every").value_or("1s"))));
  const trace::Plan plan = std::move(compiled->plan);
  auto live = TRY(trace::run::live_view(plan, {.period = period}));
  options.watcher = live.get();
  std::unique_ptr<trace::run::Engine> engine = TRY(trace::run::load_into_kernel(std::move(compiled->object), plan, options.kernel));
  return trace::run::run_script(plan, *engine, options);
}

}  // namespace

extern const Command kTop{.name = "top", .summary = "show a tracing script's maps live", .description = kDescription,
                          .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run, .usage_status = kFailed};

}  // namespace espy::cli
