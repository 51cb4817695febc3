#include "trace/probes/providers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "facts/lookup.hpp"

namespace espy::trace::probes {

namespace {

constexpr auto kProviders = std::to_array<ProviderRow>({
    {.provider = Provider::begin, .name = "begin", .aliases = "BEGIN", .forms = "begin", .since = {5, 10, 0},
     .doc = "Runs once, before any other probe is attached."},
    {.provider = Provider::end, .name = "end", .aliases = "END", .forms = "end", .since = {5, 10, 0},
     .doc = "Runs once, after all other probes are detached."},
    {.provider = Provider::self, .name = "self", .forms = "self:signal:SIGUSR1", .since = {5, 10, 0},
     .doc = "Runs when the tracer itself gets this signal."},
    {.provider = Provider::test, .name = "test", .forms = "test:NAME", .since = {5, 10, 0},
     .doc = "A test of the script: runs under --test only, and passes unless it returns something other than 0."},
    {.provider = Provider::bench, .name = "bench", .forms = "bench:NAME", .since = {5, 10, 0},
     .doc = "A measurement of the script: runs under --bench only, over and over."},
    {.provider = Provider::tracepoint, .name = "tracepoint", .aliases = "t", .forms = "tracepoint:CATEGORY:EVENT",
     .reads = Reads::record, .since = {4, 7, 0},
     .doc = "A place that the kernel's authors marked for tracing, with a record of its arguments."},
    {.provider = Provider::rawtracepoint, .name = "rawtracepoint", .aliases = "rt", .forms = "rawtracepoint:EVENT; rawtracepoint:MODULE:EVENT",
     .reads = Reads::parameters, .since = {5, 5, 0}, .needs = "CONFIG_DEBUG_INFO_BTF",
     .doc = "The same place with the kernel's own arguments instead of the record: cheaper, and closer to the code."},
    {.provider = Provider::profile, .name = "profile", .aliases = "p", .forms = "profile:hz:RATE; profile:s|ms|us:N; profile:99hz; profile:10ms",
     .since = {4, 9, 0}, .doc = "Runs on every CPU at this rate, by its clock."},
    {.provider = Provider::interval, .name = "interval", .aliases = "i", .forms = "interval:s|ms|us:N; interval:hz:RATE; interval:1s",
     .since = {4, 9, 0}, .doc = "Runs on one CPU at this rate: for printing now and then."},
    {.provider = Provider::software, .name = "software", .aliases = "s", .forms = "software:EVENT; software:EVENT:COUNT",
     .since = {4, 9, 0}, .doc = "Runs at every COUNTth event that the kernel counts itself."},
    {.provider = Provider::hardware, .name = "hardware", .aliases = "h", .forms = "hardware:EVENT; hardware:EVENT:COUNT",
     .since = {4, 9, 0}, .needs = "hardware counters", .doc = "Runs at every COUNTth event that the processor counts."},
    {.provider = Provider::uprobe, .name = "uprobe", .aliases = "u",
     .forms = "uprobe:BINARY:FUNCTION[+OFFSET]; uprobe:BINARY:OFFSET; uprobe:BINARY:cpp:\"NS::F(ARGS)\"; uprobe:BINARY@FILE:LINE[:COLUMN]; uprobe:APK!/LIBRARY:FUNCTION",
     .reads = Reads::registers, .has_func = true, .is_user = true, .since = {4, 17, 0}, .needs = "CONFIG_UPROBE_EVENTS",
     .doc = "Runs when a program or library reaches this function or instruction."},
    {.provider = Provider::uretprobe, .name = "uretprobe", .aliases = "ur", .forms = "uretprobe:BINARY:FUNCTION",
     .reads = Reads::result, .has_retval = true, .has_func = true, .is_user = true, .since = {4, 17, 0}, .needs = "CONFIG_UPROBE_EVENTS",
     .doc = "Runs when this function of a program or library returns. Not for Go, whose stacks move."},
    {.provider = Provider::usdt, .name = "usdt", .aliases = "U", .forms = "usdt:BINARY:PROVIDER:NAME; usdt:BINARY:NAME",
     .reads = Reads::usdt, .is_user = true, .since = {4, 20, 0}, .needs = "CONFIG_UPROBE_EVENTS",
     .doc = "A place that a program's authors marked for tracing."},
    {.provider = Provider::iter, .name = "iter", .aliases = "it", .forms = "iter:OBJECT; iter:OBJECT:PIN",
     .reads = Reads::context, .since = {5, 8, 0}, .needs = "CONFIG_DEBUG_INFO_BTF",
     .doc = "Runs once for each of the kernel's objects of a kind, at start; with a path, whenever that file is read."},
    {.provider = Provider::watchpoint, .name = "watchpoint", .aliases = "w asyncwatchpoint aw", .forms = "watchpoint:ADDRESS:LENGTH:rwx",
     .since = {4, 9, 0}, .needs = "CONFIG_HAVE_HW_BREAKPOINT", .doc = "Runs when this memory is read, written or executed."},
    {.provider = Provider::kprobe, .name = "kprobe", .aliases = "k", .forms = "kprobe:[MODULE:]FUNCTION[+OFFSET]; kprobe:ADDRESS",
     .reads = Reads::registers, .has_func = true, .since = {4, 1, 0}, .needs = "CONFIG_KPROBES,CONFIG_KPROBE_EVENTS",
     .doc = "Runs when the kernel reaches this function or instruction."},
    {.provider = Provider::kretprobe, .name = "kretprobe", .aliases = "kr", .forms = "kretprobe:[MODULE:]FUNCTION",
     .reads = Reads::result, .has_retval = true, .has_func = true, .since = {4, 1, 0}, .needs = "CONFIG_KPROBES,CONFIG_KPROBE_EVENTS",
     .doc = "Runs when this kernel function returns."},
    {.provider = Provider::fentry, .name = "fentry", .aliases = "f kfunc", .forms = "fentry:[MODULE:]FUNCTION; fentry:bpf:[ID:]PROGRAM",
     .reads = Reads::parameters, .has_func = true, .since = {5, 5, 0}, .needs = "CONFIG_DEBUG_INFO_BTF,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
     .doc = "Runs when a kernel function or eBPF program is entered: cheaper than kprobe, with typed arguments."},
    {.provider = Provider::fexit, .name = "fexit", .aliases = "fr kretfunc", .forms = "fexit:[MODULE:]FUNCTION; fexit:bpf:[ID:]PROGRAM",
     .reads = Reads::parameters, .has_retval = true, .has_func = true, .since = {5, 5, 0}, .needs = "CONFIG_DEBUG_INFO_BTF,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
     .doc = "Runs when a kernel function or eBPF program returns, with its arguments and its result."},
});
static_assert(facts::rows_are_in_order(kProviders, [](const ProviderRow& row) { return row.provider; }));
static_assert(facts::names_are_unique(kProviders));

// perf_event_open(2). Where the period is not said: a fault or a switch at a time would be a flood for the frequent ones.
constexpr auto kCounters = std::to_array<CounterRow>({
    {"alignment-faults", "", false, 7, 1},
    {"bpf-output", "", false, 10, 1},
    {"context-switches", "cs", false, 3, 1000},
    {"cpu-clock", "cpu", false, 0, 1'000'000},
    {"cpu-migrations", "", false, 4, 1},
    {"dummy", "", false, 9, 1},
    {"emulation-faults", "", false, 8, 1},
    {"major-faults", "", false, 6, 1},
    {"minor-faults", "", false, 5, 100},
    {"page-faults", "faults", false, 2, 100},
    {"task-clock", "", false, 1, 1'000'000},
    {"backend-stalls", "", true, 8, 1'000'000},
    {"branch-instructions", "branches", true, 4, 100'000},
    {"branch-misses", "", true, 5, 100'000},
    {"bus-cycles", "", true, 6, 100'000},
    {"cache-misses", "", true, 3, 1'000'000},
    {"cache-references", "", true, 2, 1'000'000},
    {"cpu-cycles", "cycles", true, 0, 1'000'000},
    {"frontend-stalls", "", true, 7, 1'000'000},
    {"instructions", "", true, 1, 1'000'000},
    {"ref-cycles", "", true, 9, 1'000'000},
});

// signal(7), the numbers of x86-64 and arm64.
constexpr auto kSignals = std::to_array<SignalRow>({
    {1, "SIGHUP"},   {2, "SIGINT"},   {3, "SIGQUIT"},  {4, "SIGILL"},  {5, "SIGTRAP"},  {6, "SIGABRT"},  {7, "SIGBUS"},  {8, "SIGFPE"},
    {9, "SIGKILL"},  {10, "SIGUSR1"}, {11, "SIGSEGV"}, {12, "SIGUSR2"}, {13, "SIGPIPE"}, {14, "SIGALRM"}, {15, "SIGTERM"}, {16, "SIGSTKFLT"},
    {17, "SIGCHLD"}, {18, "SIGCONT"}, {19, "SIGSTOP"}, {20, "SIGTSTP"}, {21, "SIGTTIN"}, {22, "SIGTTOU"}, {23, "SIGURG"}, {24, "SIGXCPU"},
    {25, "SIGXFSZ"}, {26, "SIGVTALRM"}, {27, "SIGPROF"}, {28, "SIGWINCH"}, {29, "SIGIO"}, {30, "SIGPWR"}, {31, "SIGSYS"},
});

}  // namespace

std::span<const ProviderRow> providers() { return kProviders; }

const ProviderRow& row_of(Provider provider) { return kProviders[std::to_underlying(provider)]; }

std::string_view to_string(Provider provider) { return row_of(provider).name; }

const ProviderRow* find_provider(std::string_view name) {
  if (name.empty()) return nullptr;
  for (const ProviderRow& row : kProviders) {
    if (row.name == name) return &row;
    for (std::string_view alias : split_words(row.aliases))
      if (alias == name) return &row;
  }
  return nullptr;
}

std::string_view nearest_provider(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ProviderRow& row : kProviders) {
    names.push_back(row.name);
    for (std::string_view alias : split_words(row.aliases))
      if (alias.size() > 2) names.push_back(alias);
  }
  return nearest(name, names);
}

std::span<const CounterRow> counters() { return kCounters; }

const CounterRow* find_counter(std::string_view name, bool hardware) {
  auto row = std::ranges::find_if(kCounters, [&](const CounterRow& c) { return c.hardware == hardware && !name.empty() && (c.name == name || c.alias == name); });
  return row == kCounters.end() ? nullptr : &*row;
}

std::span<const SignalRow> signals() { return kSignals; }

}  // namespace espy::trace::probes
