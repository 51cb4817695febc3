#include <regex.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/trace.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr std::string_view kStages[] = {"ast", "types", "ir", "optimised", "bpf", "verifier", "all"};

// What bpftrace calls stages that are much the same here; a second `d` is its older word for all.
struct StageAlias {
  std::string_view alias, stage;
};
constexpr StageAlias kAliases[] = {{"parse", "ast"}, {"codegen", "ir"}, {"codegen-opt", "optimised"}, {"dis", "bpf"}, {"libbpf", "verifier"}, {"d", "all"}};

Result<std::vector<std::string>> stages_of(const Invocation& invocation) {
  std::vector<std::string> stages;
  for (const std::string& value : invocation.values("--debug")) {
    for (std::string_view stage : split(value, ',')) {
      if (const auto* row = std::ranges::find(kAliases, stage, &StageAlias::alias); row != std::end(kAliases)) stage = row->stage;
      if (std::ranges::find(kStages, stage) == std::end(kStages)) {
        std::string_view near = nearest(stage, {std::begin(kStages), std::end(kStages)});
        return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = fmt::format("there is no stage `{}` to print", stage),
                                     .hint = near.empty() ? "ast, types, ir, optimised, bpf, verifier or all" : fmt::format("did you mean `{}`?", near)});
      }
      stages.emplace_back(stage);
    }
  }
  return stages;
}

Result<std::string> script_text(const std::string& path) {
  auto text = read_text_file(path);
  if (!text && text.error().sys != 0) return fail_sys(text.error().sys, "failed to open file '{}'", path);
  return text;
}

// The script, and what stands behind it on the command line.
Result<void> read_script(const Invocation& invocation, const std::optional<std::string>& program, TraceJob& job) {
  const auto& words = invocation.positionals;
  std::size_t first_argument = 0;
  if (program) {
    job.source = job.sources.add("program", *program);
    first_argument = 1;
  } else if (auto given = invocation.value("--expr")) {
    job.source = job.sources.add("stdin", *given);   // as other tools of the language call it
  } else if (words.empty()) {
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = "no script to trace", .hint = "give one with -e 'PROGRAM', or a FILE; see `espy trace --help`"});
  } else {
    first_argument = 1;
    const bool is_stdin = words.front() == "-";
    job.source = job.sources.add(is_stdin ? "stdin" : words.front(), TRY(script_text(is_stdin ? "/dev/stdin" : words.front())));
  }
  const std::size_t dashes = std::max(invocation.before_dashes, first_argument);
  job.compile.arguments = trace::read_arguments(std::span(words).subspan(first_argument, dashes - first_argument), std::span(words).subspan(dashes));
  return {};
}

constexpr int kLargestPid = 1 << 22;   // PID_MAX_LIMIT of 64-bit kernels

Result<int> pid_of(const std::string& text) {
  auto pid = parse_number<int>(text);
  if (!pid) return fail(ErrorKind::invalid_argument, "Failed to parse pid: pid '{}' is not a valid decimal number", text);
  if (*pid < 1 || *pid > kLargestPid) return fail(ErrorKind::invalid_argument, "Failed to parse pid: pid '{}' out of valid pid range [1,{}]", text, kLargestPid);
  if (::kill(*pid, 0) != 0 && errno == ESRCH) return fail(ErrorKind::not_found, "there is no process {}", *pid);
  return *pid;
}

// Several with commas; of attaching, or of what the compiler may use.
Result<void> leave_out(const std::string& value, trace::CompileOptions& options) {
  for (std::string_view name : split(value, ',')) {
    trace::probes::Abilities any;
    if (trace::probes::take_away(any, name)) options.without.emplace_back(name);
    else TRY(trace::without_feature(options.lower.abilities, name));
  }
  return {};
}

Result<std::function<bool(std::string_view)>> name_filter(const std::string& pattern) {
  struct Regex {
    regex_t compiled{};
    int wrong;
    explicit Regex(const std::string& text) : wrong(::regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB)) {}
    ~Regex() { if (wrong == 0) ::regfree(&compiled); }
    Regex(const Regex&) = delete;
    Regex& operator=(const Regex&) = delete;
  };
  const auto regex = std::make_shared<const Regex>(pattern);
  if (regex->wrong != 0) {
    char reason[128];
    ::regerror(regex->wrong, &regex->compiled, reason, sizeof reason);
    return fail(ErrorKind::invalid_argument, "--probe-filter: `{}` is no regular expression: {}", pattern, reason);
  }
  return [regex](std::string_view name) { return ::regexec(&regex->compiled, std::string(name).c_str(), 0, nullptr, 0) == 0; };
}

bool shows_colour() {
  const char* said = std::getenv("BPFTRACE_COLOR");
  const std::string_view word = said != nullptr ? said : "auto";
  return word == "always" || (word != "never" && ::isatty(STDERR_FILENO) != 0);
}

}  // namespace

Result<trace::probes::MachineOptions> machine_options(const Invocation& invocation) {
  std::vector<std::string> folders;
  for (const std::string& value : invocation.values("--debuginfo"))
    for (std::string_view folder : split(value, ':')) folders.emplace_back(folder);
  for (const std::string& folder : folders)
    if (::access(folder.c_str(), R_OK | X_OK) != 0) return fail_sys(errno, "--debuginfo {}", folder);
  symbol::set_debug_folders(std::move(folders));
  if (const char* path = std::getenv("BPFTRACE_BTF"); path != nullptr && *path != 0) {
    kernel::set_vmlinux_btf(path);
    if (auto types = kernel::vmlinux_btf(); !types) return std::unexpected(wrap(std::move(types.error()), fmt::format("BPFTRACE_BTF={}", path)));
  }
  trace::probes::MachineOptions options{.functions_file = invocation.value("--traceable-functions").value_or("")};
  if (!options.functions_file.empty() && ::access(options.functions_file.c_str(), R_OK) != 0) return fail_sys(errno, "--traceable-functions {}", options.functions_file);
  return options;
}

bool wants(const std::vector<std::string>& stages, std::string_view stage) {
  return std::ranges::any_of(stages, [&](const std::string& wanted) { return wanted == stage || wanted == "all"; });
}

Result<TraceJob> trace_job(const Invocation& invocation, std::optional<std::string> program) {
  TraceJob job;
  job.stages = TRY(stages_of(invocation));
  if (auto pid = invocation.value("--pid")) job.compile.pid = TRY(pid_of(*pid));
  TRY(read_script(invocation, program, job));
  job.config = TRY(trace::config_from_environment(::getenv));
  job.compile.environment = ::getenv;
  job.compile.include_directories = invocation.values("--include-dir");
  job.compile.include_files = invocation.values("--include");
  job.compile.allow_unsafe = invocation.has("--unsafe");
  const std::string mode = invocation.value("--mode").value_or("");
  job.compile.must_attach = mode != "codegen" && !invocation.has("--emit-elf") && !invocation.has("--explain") && (job.stages.empty() || wants(job.stages, "verifier"));
  job.compile.without_kernel = invocation.value("--engine") == "user" && job.compile.must_attach;
  if (invocation.value("--engine") == "user") job.compile.lower = trace::user_engine_options();
  else job.compile.lower = TRY(trace::running_options());
  job.compile.lower.report_errors = invocation.has("--read-errors");
  for (const std::string& features : invocation.values("--no-feature")) TRY(leave_out(features, job.compile));
  if (auto pattern = invocation.value("--probe-filter")) job.compile.wanted = TRY(name_filter(*pattern));
  job.machine = TRY(machine_options(invocation));
  if (auto command = invocation.value("--cmd")) {
    job.child.emplace(TRY(trace::run::Child::spawn(*command)));
    job.compile.child = job.child->pid();
  }
  return job;
}

Result<std::optional<trace::Compiled>> compile(TraceJob& job, bool warnings) {
  job.compile.wants = [&job](std::string_view stage) { return wants(job.stages, stage); };
  job.compile.show = [](std::string_view stage, std::string_view text) { fmt::print("-- {}\n{}\n", stage, text); };
  auto machine = trace::probes::Machine::running(job.machine);
  trace::Compilation result = trace::compile(job.sources, job.source, machine, job.config, job.compile);
  const bool colour = shows_colour();
  for (const trace::Diagnostic& diagnostic : result.diagnostics.all()) {
    if (diagnostic.severity == trace::Severity::error || warnings) std::fputs(trace::render(diagnostic, job.sources, colour).c_str(), stderr);
  }
  if (result.error) return std::unexpected(std::move(*result.error));
  if (result.help) std::fputs(result.help->c_str(), stdout);
  job.failed = !result.script && !result.help;
  return std::move(result.script);
}

Result<trace::run::RunOptions> run_options(const Invocation& invocation, TraceJob& job) {
  using namespace trace::run;
  RunOptions options{.failed_reads = invocation.has("--read-errors"), .child = job.child ? &*job.child : nullptr, .pid = job.compile.pid.value_or(0), .sources = &job.sources};
  const std::string format = invocation.has("--json") ? "json" : invocation.value("--format").value_or("text");
  if (format != "text" && format != "json") return fail(ErrorKind::invalid_argument, "Invalid output format \"{}\": text and json are known", format);
  options.output.form = format == "json" ? OutputForm::json : OutputForm::text;
  const std::string buffer = invocation.value("--buffer").value_or("line");
  if (buffer != "none" && buffer != "line" && buffer != "full") return fail(ErrorKind::invalid_argument, "-B takes none, line or full, not `{}`", buffer);
  options.output.buffering = buffer == "none" ? Buffering::none : buffer == "full" ? Buffering::full : Buffering::line;
  options.output.file = invocation.value("--output").value_or("");
  options.dry_run = invocation.has("--dry-run");
  options.output.quiet = invocation.has("--quiet");
  options.output.colour = shows_colour();
  const std::string mode = invocation.value("--mode").value_or("");
  if (invocation.has("--test") || mode == "test") options.mode = Mode::test;
  if (invocation.has("--bench") || mode == "bench") options.mode = Mode::bench;
  options.tell = [](std::string_view message) { fmt::print(stderr, "{}\n", message); };
  if (invocation.has("--verbose") || wants(job.stages, "verifier")) {
    options.kernel.log_level = 1;
    options.kernel.log = [](const std::string& program, std::string_view log) { fmt::print("-- verifier: {}\n{}\n", program, log); };
  }
  if (std::getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") != nullptr) {
    options.attached = [] { fmt::print("__BPFTRACE_NOTIFY_PROBES_ATTACHED\n"), std::fflush(stdout); };
  }
  return options;
}

}  // namespace espy::cli
