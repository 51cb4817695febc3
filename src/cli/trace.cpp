// `espy trace`: compiles a script of the tracing language and runs it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/trace.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {
    {"FILE", "the script; `-` is standard input. With -e it is the script's first argument", Arity::optional},
    {"ARGUMENT", "arguments of the script: $1, $2 …; behind `--` also its named ones: --name=value", Arity::any},
};
constexpr Option kOptions[] = {
    {.name = "--expr", .value = "PROGRAM", .help = "the script itself", .letter = 'e'},
    {.name = "--list", .value = {}, .help = "list probes that match FILE as a pattern, or those of a script; -lv shows arguments", .letter = 'l'},
    {.name = "--pid", .value = "PID", .help = "probes of this process only, where they can; end when it ends", .letter = 'p'},
    {.name = "--cmd", .value = "COMMAND", .help = "run a command once all is attached, and end when it ends", .letter = 'c'},
    {.name = "--output", .value = "FILE", .help = "write results into a file", .letter = 'o'},
    {.name = "--format", .value = "FORMAT", .help = "text or json", .letter = 'f'},
    {.name = "--json", .value = {}, .help = "the same as -f json"},
    {.name = "--buffer", .value = "MODE", .help = "when output is written: none (at once), line, or full", .letter = 'B'},
    {.name = "--quiet", .value = {}, .help = "print only what the script prints", .letter = 'q'},
    {.name = "--verbose", .value = {}, .help = "tell what is done; with a rejected program, the verifier's log", .letter = 'v'},
    {.name = "--read-errors", .value = {}, .help = "tell of memory that could not be read", .letter = 'k'},
    {.name = "--unsafe", .value = {}, .help = "allow functions that change the system: system(), signal(), override() …"},
    {.name = "--info", .value = {}, .help = "show what this kernel offers to scripts"},
    {.name = "--dry-run", .value = {}, .help = "compile, load and attach, and end: nothing of the script runs"},
    {.name = "--engine", .value = "ENGINE", .help = "kernel, or user: no kernel and no privileges, for probes that need neither"},
    {.name = "--include-dir", .value = "DIR", .help = "look here for headers and imports", .repeat = Repeat::many, .letter = 'I'},
    {.name = "--include", .value = "FILE", .help = "read a C header first", .repeat = Repeat::many},
    {.name = "--probe-filter", .value = "REGEX", .help = "only those of the script's probes whose name matches; begin and end always run"},
    {.name = "--debuginfo", .value = "DIRS", .help = "folders with debug files, separated by colons, to be searched before /usr/lib/debug", .repeat = Repeat::many},
    {.name = "--traceable-functions", .value = "FILE", .help = "the kernel's functions that can be traced, one a line, where the kernel does not tell"},
    {.name = "--dwarf-pid", .value = "PID", .help = "accepted: stacks are followed along frame pointers, which needs no preparation", .repeat = Repeat::many},
    {.name = "--debug", .value = "STAGE", .help = "print stages instead of running: ast, types, ir, optimised, bpf, verifier, all", .repeat = Repeat::many, .letter = 'd'},
    {.name = "--emit-elf", .value = "FILE", .help = "write the compiled object into a file, and end"},
    {.name = "--fmt", .value = {}, .help = "print the script formatted, and end"},
    {.name = "--explain", .value = {}, .help = "show what each probe becomes and what it costs, and end"},
    {.name = "--test", .value = {}, .help = "run only test: probes"},
    {.name = "--bench", .value = {}, .help = "run only bench: probes"},
    {.name = "--mode", .value = "MODE", .help = "codegen (compile only), test, bench, or format"},
    {.name = "--no-warnings", .value = {}, .help = "do not print warnings"},
    {.name = "--usdt-file-activation", .value = {}, .help = "accepted: the kernel switches USDT probes on by itself"},
    {.name = "--no-feature", .value = "NAME", .help = "compile and attach as if the kernel had not these: uprobe_multi, ring_buffer …", .repeat = Repeat::many},
    {.name = "--version", .value = {}, .help = "print the version", .letter = 'V'},
};
constexpr Example kExamples[] = {
    {"espy trace -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'", "system calls by process, until Control-C"},
    {"espy trace -e 'profile:hz:99 { @[kstack] = count(); }' -c 'make -j4'", "where a build spends its time in the kernel"},
    {"espy trace opensnoop.bt", "run a script"},
    {"espy trace -lv 'tracepoint:sched:*'", "the scheduler's tracepoints and their arguments"},
    {"espy trace -f json -e 'interval:s:1 { print(elapsed); }'", "one JSON object a line"},
    {"espy trace --explain -e 'tracepoint:syscalls:sys_enter_* { @ = count(); }'", "what the probes cost, before running them"},
};
constexpr std::string_view kDescription =
    "Compiles a script straight to eBPF and runs it: no compiler, no headers, nothing to install. The language is bpftrace's, in "
    "its newest syntax and the older spellings; docs/language.md lists all of it. Every map of the script is printed at its end.";

// Tools that know the language look for its version in these words.
constexpr std::string_view kVersion = "bpftrace v0.26.1 (the language, as espy " ESPY_VERSION " speaks it)\n";

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// What to search for, for each probe of a script: of timers and counters, their kind without the number.
std::vector<std::string> searches_of(const trace::Script& script) {
  std::vector<std::string> searches;
  for (const trace::Probe& probe : script.probes) {
    for (const trace::AttachPointText& point : probe.attach_points) {
      const std::vector<std::string_view> parts = split(point.text, ':');
      const trace::probes::ProviderRow* row = trace::probes::find_provider(parts.front());
      using enum trace::probes::Provider;
      const bool numbered = row != nullptr && parts.size() > 1 && (row->provider == interval || row->provider == profile || row->provider == software || row->provider == hardware);
      searches.push_back(numbered ? fmt::format("{}:{}", row->name, parts[1]) : point.text);
    }
  }
  return searches;
}

// The probes of a script, given with -e or as a file.
Result<int> list_script(const Invocation& invocation, trace::probes::Machine& machine, const trace::probes::ListOptions& options) {
  TraceJob job = TRY(trace_job(invocation));
  trace::Diagnostics diagnostics;
  trace::Script script = trace::parse(job.sources, job.source, diagnostics);
  for (const trace::Diagnostic& diagnostic : diagnostics.all()) std::fputs(trace::render(diagnostic, job.sources, false).c_str(), stderr);
  if (diagnostics.has_errors()) return kFailed;
  for (const std::string& search : searches_of(script)) {
    auto rows = trace::probes::list(machine, search, options);
    if (!rows) continue;
    for (const trace::probes::ListRow& row : *rows) print(trace::probes::text(row));
  }
  return kOk;
}

Result<int> list(const Invocation& invocation) {
  auto machine = trace::probes::Machine::running(TRY(machine_options(invocation)));
  const std::string search = invocation.positionals.empty() ? "" : invocation.positionals.front();
  trace::probes::ListOptions options{.verbose = invocation.has("--verbose")};
  if (auto pid = invocation.value("--pid")) options.pid = parse_number<int>(*pid);
  const bool is_file = !search.empty() && ::access(search.c_str(), R_OK) == 0;
  if (invocation.has("--expr") || is_file) return list_script(invocation, machine, options);
  if (search.ends_with(".bt"))
    fmt::print(stderr, "WARNING: It appears that '{0}' is a filename but the file does not exist. Treating '{0}' as a search pattern.\n", search);
  for (const trace::probes::ListRow& row : TRY(trace::probes::list(machine, search, options))) print(trace::probes::text(row));
  return kOk;
}

Result<int> format(const TraceJob& job) {
  trace::Diagnostics diagnostics;
  trace::Script script = trace::parse(job.sources, job.source, diagnostics);
  for (const trace::Diagnostic& diagnostic : diagnostics.all()) std::fputs(trace::render(diagnostic, job.sources, false).c_str(), stderr);
  if (diagnostics.has_errors()) return kFailed;
  print(trace::format(script, job.sources));
  return kOk;
}

Result<int> execute(const Invocation& invocation, TraceJob& job, trace::Compiled compiled) {
  trace::run::RunOptions options = TRY(run_options(invocation, job));
  const std::string engine = invocation.value("--engine").value_or("kernel");
  if (engine != "kernel" && engine != "user") return fail(ErrorKind::invalid_argument, "there is no engine `{}`: kernel and user are", engine);
  const trace::Plan plan = std::move(compiled.plan);
  std::unique_ptr<trace::run::Engine> loaded = TRY(engine == "user" ? trace::run::load_into_process(std::move(compiled.object), plan)
                                                                    : trace::run::load_into_kernel(std::move(compiled.object), plan, options.kernel));
  if (!job.stages.empty()) return kOk;
  return trace::run::run_script(plan, *loaded, options);
}

Result<int> run(const Invocation& invocation) {
  if (invocation.has("--version")) return print(kVersion), kOk;
  if (invocation.has("--info")) return print(machine_report()), kOk;
  if (invocation.has("--list")) return list(invocation);
  TraceJob job = TRY(trace_job(invocation));
  const std::string mode = invocation.value("--mode").value_or("");
  if (invocation.has("--fmt") || mode == "format") return format(job);
  std::optional<trace::Compiled> compiled = TRY(compile(job, !invocation.has("--no-warnings")));
  if (!compiled) return job.failed ? kFailed : kOk;
  if (invocation.has("--explain")) return print(trace::explain(*compiled)), kOk;
  if (auto file = invocation.value("--emit-elf")) {
    TRY(write_file(*file, TRY(object::write_elf(compiled->object))));
    return kOk;
  }
  if (mode == "codegen" || (!job.stages.empty() && !wants(job.stages, "verifier"))) return kOk;
  return execute(invocation, job, std::move(*compiled));
}

}  // namespace

extern const Command kTrace{.name = "trace", .summary = "ask the running system a question: run a tracing script", .description = kDescription,
                            .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run, .usage_status = kFailed};

}  // namespace espy::cli
