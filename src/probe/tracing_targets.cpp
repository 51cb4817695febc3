#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "probe/targets.hpp"

namespace espy::probe::targets {

using facts::AttachType;
using facts::ProgType;

std::unexpected<Error> needs(const Ask& ask, std::string_view what) {
  Error error{.kind = ErrorKind::invalid_argument,
              .message = fmt::format("program `{}` ({}): {}", ask.program.name, ask.kind, what),
              .hint = fmt::format("for example --attach {}={}", ask.program.name, ask.example)};
  return std::unexpected(std::move(error));
}

namespace {

struct Place { std::string_view symbol; std::uint64_t offset = 0; };

// "vfs_read+0x10", "0x1234", "ns::f(int)+4". A sign of a C++ operator (`operator+`) is not an offset: no number follows.
Place place_of(std::string_view text) {
  if (auto bare = parse_number<std::uint64_t>(text)) return {{}, *bare};
  std::size_t plus = text.rfind('+');
  if (plus != text.npos && plus != 0)
    if (auto offset = parse_number<std::uint64_t>(text.substr(plus + 1))) return {text.substr(0, plus), *offset};
  return {text, 0};
}

}  // namespace

// ---- kernel functions and events ----

Result<Probe> tracepoint(const Ask& ask) {
  auto [category, name] = cut(ask.target);
  if (category.empty() || name.empty()) return needs(ask, "a tracepoint is named by category and name");
  return Tracepoint{std::string(category), std::string(name)};
}

Result<Probe> raw_tracepoint(const Ask& ask) {
  // "sched:sched_switch" is accepted too: the category says nothing that the name does not.
  auto [category, name] = cut(ask.target);
  std::string_view only = name.empty() ? category : name;
  if (only.empty()) return needs(ask, "which raw tracepoint?");
  if (const std::string& own = ask.program.attach_target; ask.program.type == ProgType::tracing && !own.empty() && own != only)
    return needs(ask, fmt::format("it was compiled for `{}`, which attaching cannot change", own));
  return RawTracepoint{std::string(only)};
}

Result<Probe> kprobe(const Ask& ask) {
  Place place = place_of(ask.target);
  if (ask.target.empty()) return needs(ask, "which kernel function?");
  bool at_return = ask.kind == "kretprobe";
  if (at_return && place.offset != 0) return needs(ask, "a return probe has no offset");
  return Kprobe{std::string(place.symbol), place.offset, at_return};
}

Result<Probe> kprobe_multi(const Ask& ask) {
  if (ask.target.empty()) return needs(ask, "which kernel functions? (a name, or a pattern of * and ?)");
  return KprobeMulti{std::string(ask.target), ask.kind == "kretprobe.multi", ask.kind == "kprobe.session", {}, {}};
}

Result<Probe> ksyscall(const Ask& ask) {
  if (ask.target.empty()) return needs(ask, "which system call?");
  return Ksyscall{std::string(ask.target), ask.kind == "kretsyscall"};
}

Result<Probe> trampoline(const Ask& ask) {
  // The function was settled when the program was loaded; the target may only repeat it.
  if (!ask.target.empty() && !ask.program.attach_target.empty() && ask.target != ask.program.attach_target)
    return needs(ask, fmt::format("it was compiled for `{}`, which a trampoline cannot change at attach",
                                  ask.program.attach_target));
  return Trampoline{std::string(ask.target)};
}

Result<Probe> freplace(const Ask& ask) { return Freplace{std::string(ask.target)}; }

// ---- user space ----

Result<Probe> uprobe(const Ask& ask) {
  auto [path, symbol] = cut(ask.target, ":");
  if (path.empty() || symbol.empty()) return needs(ask, "a user probe is named by file and function");
  Place place = place_of(symbol);
  bool at_return = ask.kind == "uretprobe";
  if (at_return && place.offset != 0 && !place.symbol.empty()) return needs(ask, "a return probe has no offset");
  return Uprobe{std::string(path), std::string(place.symbol), place.offset, at_return};
}

Result<Probe> uprobe_multi(const Ask& ask) {
  auto [path, pattern] = cut(ask.target, ":");
  if (path.empty() || pattern.empty()) return needs(ask, "user probes are named by file and function pattern");
  return UprobeMulti{std::string(path), std::string(pattern), ask.kind == "uretprobe.multi", ask.kind == "uprobe.session", {}, {}, {}};
}

Result<Probe> usdt(const Ask& ask) {
  auto [path, rest] = cut(ask.target, ":");
  auto [provider, name] = cut(rest, ":");
  if (path.empty() || provider.empty() || name.empty()) return needs(ask, "a USDT probe is named by file, provider and name");
  return Usdt{std::string(path), std::string(provider), std::string(name)};
}

// ---- perf events ----

namespace {
struct PerfEventRow { std::string_view name; std::uint32_t type, config; };
// perf_event_open(2): PERF_TYPE_HARDWARE is 0, PERF_TYPE_SOFTWARE 1.
constexpr auto kPerfEvents = std::to_array<PerfEventRow>({
    {"cpu-clock", 1, 0},         {"task-clock", 1, 1},       {"page-faults", 1, 2},     {"context-switches", 1, 3},
    {"cpu-migrations", 1, 4},    {"minor-faults", 1, 5},     {"major-faults", 1, 6},    {"alignment-faults", 1, 7},
    {"emulation-faults", 1, 8},  {"dummy", 1, 9},            {"bpf-output", 1, 10},     {"cgroup-switches", 1, 11},
    {"cycles", 0, 0},            {"instructions", 0, 1},     {"cache-references", 0, 2}, {"cache-misses", 0, 3},
    {"branches", 0, 4},          {"branch-misses", 0, 5},    {"bus-cycles", 0, 6},
    {"stalled-cycles-frontend", 0, 7}, {"stalled-cycles-backend", 0, 8}, {"ref-cycles", 0, 9},
});
}  // namespace

// perf_event:EVENT, perf_event:EVENT:PERIOD, perf_event:EVENT:RATEhz; software: and hardware: are the same with a class
// before the event; profile:hz:RATE is cpu-clock, and so is nothing at all.
Result<Probe> perf_event(const Ask& ask) {
  auto [event, how] = cut(ask.target);
  if (ask.kind == "profile") event = "cpu-clock", how = ask.target;
  else if (event == "software" || event == "hardware") std::tie(event, how) = cut(how);
  if (event.empty()) event = "cpu-clock";
  auto row = std::ranges::find(kPerfEvents, event, &PerfEventRow::name);
  if (row == kPerfEvents.end()) {
    std::vector<std::string_view> names;
    for (const PerfEventRow& known : kPerfEvents) names.push_back(known.name);
    return needs(ask, fmt::format("no perf event `{}`; there are {}", event, fmt::join(names, ", ")));
  }
  PerfEvent probe{.type = row->type, .config = row->config, .name = std::string(event)};
  bool is_clock = row->type == 1 && row->config <= 1;
  bool per_second = how.ends_with("hz") || how.starts_with("hz:");
  if (how.ends_with("hz")) how.remove_suffix(2);
  if (how.starts_with("hz:")) how.remove_prefix(3);
  auto number = parse_number<std::uint64_t>(how);
  if (!how.empty() && (!number || *number == 0)) return needs(ask, fmt::format("`{}` is no period and no rate", how));
  if (per_second) probe.frequency = *number;
  else if (number) probe.period = *number;
  else if (is_clock) probe.frequency = 99;
  else probe.period = row->type == 0 ? 1'000'000 : 1;
  return probe;
}

Result<Probe> watchpoint(const Ask& ask) {
  auto parts = split(ask.target, ':');
  if (parts.size() != 3) return needs(ask, "a watchpoint is an address, a length and what is watched");
  auto address = parse_number<std::uint64_t>(parts[0]);
  auto length = parse_number<std::uint32_t>(parts[1]);
  if (!address || !length || (*length != 1 && *length != 2 && *length != 4 && *length != 8))
    return needs(ask, fmt::format("`{}` is no address and length of 1, 2, 4 or 8 bytes", ask.target));
  Watchpoint probe{.address = *address, .length = *length, .write = false};
  for (char c : parts[2]) {
    if (c != 'r' && c != 'w' && c != 'x') return needs(ask, fmt::format("`{}` is not made of r, w and x", parts[2]));
    (c == 'r' ? probe.read : c == 'w' ? probe.write : probe.execute) = true;
  }
  return probe;
}
}  // namespace espy::probe::targets
