// `espy check`: would these programs load, on which kernels, and if not, why?
#include "cli/check.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/open.hpp"
#include "espy/kernel.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o|DIR", "eBPF object files, or folders whose .o files are all checked", Arity::any}};
constexpr Option kOptions[] = {
    {.name = "--prog", .value = "NAME", .help = "only this program", .repeat = Repeat::many},
    {.name = "--kernel", .value = "LIST", .help = "versions, separated by commas; `all` long-term ones; `running` (what it is without this)"},
    {.name = "--btf", .value = "FILE", .help = "a kernel's types: checks against that kernel, or takes them for the one of --kernel"},
    {.name = "--unprivileged", .value = {}, .help = "as a user without CAP_BPF and CAP_PERFMON"},
    {.name = "--oracle", .value = {}, .help = "also load each program into the running kernel, and say where the verdicts differ"},
    {.name = "--explain", .value = {}, .help = "whole paths to a rejection, and the words of the kernel's own log"},
    {.name = "--stats", .value = {}, .help = "instructions processed, states, stack, time, and the source lines that cost most"},
    {.name = "--log", .value = "LEVEL", .help = "the analysis as the kernel logs it: 1 the failing path, 2 every state"},
    {.name = "--json", .value = {}, .help = "one line of JSON for each program and kernel"},
    {.name = "--sarif", .value = {}, .help = "one SARIF 2.1.0 log, for code-review tools"},
    {.name = "--jobs", .value = "N", .help = "threads; all processors without it", .letter = 'j'},
};
constexpr Example kExamples[] = {
    {"espy check probe.bpf.o", "would it load here, and why not?"},
    {"espy check probe.bpf.o --kernel all", "on every long-term kernel since 5.4"},
    {"espy check build/ --kernel 5.10,6.1 --sarif > check.sarif", "all objects of a folder, for a code-review tool"},
    {"espy check probe.bpf.o --stats", "what the analysis costs, and which lines"},
};
constexpr std::string_view kDescription =
    "Says whether programs would load, by an analysis of its own that follows the kernel's verifier: nothing is loaded, and "
    "no privileges are needed. For each program and kernel it says `loads`, `rejected`, or `needs` where the kernel lacks "
    "something that the program uses; and which kernel is the first that takes all of them. A rejection shows the source line, "
    "what is known there, the path that leads there and what mends it.\n\n"
    "Exit status: 0 if all programs load on all kernels asked for, 1 if some do not, 2 if an object could not be read.";

Result<facts::KernelVersion> parse_release(std::string_view text) {
  const auto parts = split(text, '.');
  facts::KernelVersion version;
  std::uint16_t* const fields[] = {&version.major, &version.minor, &version.patch};
  bool good = parts.size() >= 2 && parts.size() <= 3;
  for (std::size_t i = 0; good && i < parts.size(); ++i) {
    auto number = parse_number<std::uint16_t>(parts[i]);
    good = number.has_value();
    if (good) *fields[i] = *number;
  }
  if (good) return version;
  auto error = fail(ErrorKind::invalid_argument, "`{}` is no kernel version", text);
  error.error().hint = "write 5.10, 6.1.170, `all` or `running`";
  return error;
}

/// The running kernel, if its types or version can be read.
Result<verifier::Kernel> running_kernel(const object::Target& running) {
  verifier::Kernel kernel = verifier::kernel_of(running);
  kernel.name = "running";
  return kernel;
}

Result<std::vector<verifier::Kernel>> chosen_kernels(const Invocation& invocation, const std::optional<object::Target>& running) {
  std::vector<verifier::Kernel> kernels;
  const object::Target* stand_in = running ? &*running : nullptr;
  auto add_version = [&](facts::KernelVersion version) { kernels.push_back(verifier::kernel_of(version, stand_in)); };
  const auto list = invocation.value("--kernel");
  for (std::string_view word : list ? split(*list, ',') : std::vector<std::string_view>{}) {
    if (word == "all") {
      for (facts::KernelVersion version : verifier::long_term_kernels()) add_version(version);
    } else if (word == "running") {
      if (!running) return fail(ErrorKind::unsupported, "the running kernel's types and version cannot be read");
      kernels.push_back(TRY(running_kernel(*running)));
    } else {
      add_version(TRY(parse_release(trim(word))));
    }
  }
  if (auto file = invocation.value("--btf")) {
    object::Target target = TRY(object::target_from_btf(*file));
    if (kernels.size() > 1) return fail(ErrorKind::invalid_argument, "--btf gives the types of one kernel, --kernel names {}", kernels.size());
    target.version = kernels.empty() ? verifier::version_of(*target.vmlinux) : kernels[0].profile.version;
    std::string name = kernels.empty() ? target.name : kernels[0].name;
    kernels = {verifier::kernel_of(std::move(target))};
    kernels[0].name = std::move(name);
  }
  if (kernels.empty()) {
    if (!running) return fail(ErrorKind::unsupported, "the running kernel's types and version cannot be read; name kernels with --kernel");
    kernels.push_back(TRY(running_kernel(*running)));
  }
  return kernels;
}

/// The object files that the words name: files as they are, of folders all *.o below them, in order.
Result<std::vector<std::string>> object_files(const std::vector<std::string>& words) {
  std::vector<std::string> files;
  for (const std::string& word : words) {
    std::error_code error;
    if (!std::filesystem::is_directory(word, error)) {
      files.push_back(word);
      continue;
    }
    std::vector<std::string> inside;
    auto end = std::filesystem::recursive_directory_iterator();
    for (auto at = std::filesystem::recursive_directory_iterator(word, std::filesystem::directory_options::skip_permission_denied, error); !error && at != end; at.increment(error)) {
      if (at->path().extension() == ".o" && at->is_regular_file(error)) inside.push_back(at->path().string());
    }
    if (inside.empty()) return fail(ErrorKind::not_found, "{} holds no object file (*.o)", word);
    std::ranges::sort(inside);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

struct Settings {
  verifier::CheckOptions check;
  CheckStyle style;
  bool json = false, sarif = false, oracle = false;
};

Result<Settings> settings_of(const Invocation& invocation) {
  Settings settings;
  settings.json = invocation.has("--json");
  settings.sarif = invocation.has("--sarif");
  settings.oracle = invocation.has("--oracle");
  settings.style = {.colour = ::isatty(STDOUT_FILENO) != 0, .explain = invocation.has("--explain"), .stats = invocation.has("--stats"), .log = invocation.has("--log")};
  settings.check.programs = invocation.values("--prog");
  settings.check.verify.unprivileged = invocation.has("--unprivileged");
  settings.check.jobs = std::max(1U, std::thread::hardware_concurrency());
  settings.check.hot_lines = settings.style.stats ? 3 : 0;
  settings.check.find_least = !settings.json && !settings.sarif;
  if (auto level = invocation.value("--log")) {
    auto number = parse_number<std::uint32_t>(*level);
    if (!number || *number < 1 || *number > 2) return fail(ErrorKind::invalid_argument, "--log takes 1 or 2, not `{}`", *level);
    settings.check.verify.log_level = *number;
  }
  if (auto jobs = invocation.value("--jobs")) {
    auto number = parse_number<std::uint32_t>(*jobs);
    if (!number || *number == 0 || *number > 1024) return fail(ErrorKind::invalid_argument, "--jobs takes a number of threads from 1 to 1024, not `{}`", *jobs);
    settings.check.jobs = *number;
  }
  if (settings.json && settings.sarif) return fail(ErrorKind::invalid_argument, "--json and --sarif are two forms of the same: take one");
  return settings;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(const Error& error) {
  const std::string text = "espy: " + describe(error) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Result<CheckedObject> check_one(const std::string& path, const Settings& settings, std::span<const verifier::Kernel> kernels,
                                const std::optional<object::Target>& running) {
  object::ObjectSpec object = TRY(object::read(path));
  fill_sizes(object);
  CheckedObject checked{.report = TRY(verifier::check(object, kernels, settings.check)), .oracle = {}};
  checked.report.path = path;
  if (settings.oracle && running) checked.oracle = ask_running_kernel(object, *running, checked.report.programs);
  return checked;
}

Result<int> checked(const Invocation& invocation) {
  if (invocation.positionals.empty()) return fail(ErrorKind::invalid_argument, "OBJ.o|DIR is missing");
  const Settings settings = TRY(settings_of(invocation));
  std::optional<object::Target> running;
  if (auto target = kernel::running_target()) running = std::move(*target);
  std::vector<verifier::Kernel> kernels = TRY(chosen_kernels(invocation, running));
  if (settings.oracle && kernels[0].name != "running") {
    if (!running) return fail(ErrorKind::unsupported, "the running kernel's types and version cannot be read");
    kernels.insert(kernels.begin(), TRY(running_kernel(*running)));
  }
  int status = kOk;
  std::vector<CheckedObject> objects;
  const std::vector<std::string> files = TRY(object_files(invocation.positionals));
  for (const std::string& file : files) {
    auto object = check_one(file, settings, kernels, running);
    if (!object) {
      complain(object.error());
      status = kUsage;
      continue;
    }
    if (!object->report.all_accepted()) status = std::max(status, kFailed);
    if (settings.json) print(check_json(*object, kernels));
    else if (settings.sarif) objects.push_back(std::move(*object));
    else print((&file == &files.front() ? "" : "\n") + check_text(*object, kernels, settings.style));
  }
  if (settings.sarif) print(check_sarif(objects, kernels));
  return status;
}

/// Status 1 means that programs would not load, so that every other failure is 2.
Result<int> run(const Invocation& invocation) {
  auto status = checked(invocation);
  if (status) return status;
  complain(status.error());
  return kUsage;
}

}  // namespace

extern const Command kCheck{.name = "check", .summary = "say whether programs would load, on which kernels, and why not", .description = kDescription,
                            .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
