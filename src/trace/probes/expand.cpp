#include "trace/probes/expand.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "probe/tracefs.hpp"

namespace espy::trace::probes {

Error missing(std::string message, std::string_view wanted, const std::vector<std::string_view>& known) {
  Error error{.kind = ErrorKind::not_found, .message = std::move(message)};
  if (std::string_view near = nearest(wanted, known); !near.empty()) error.hint = fmt::format("did you mean {}?", near);
  return error;
}

namespace {

using facts::AttachType;
using facts::ProgType;

// Programs that user space runs itself: of a type that test_run takes and that may call what tracing calls.
Target run_by_us(const Expanding& ask) {
  return {.provider = ask.point.provider, .name = name_of(ask.point), .probe = probe::Nothing{"it is run by the tracer"}, .prog_type = ProgType::raw_tracepoint};
}

Target on_event(const Expanding& ask, probe::Probe probe) {
  return {.provider = ask.point.provider, .name = name_of(ask.point), .probe = std::move(probe), .prog_type = ProgType::perf_event};
}

constexpr std::uint32_t kSoftware = 1, kHardware = 0;   // PERF_TYPE_*; cpu-clock is software event 0

// Raw tracepoint programs are run by test_run since 5.10. An interval that user space fires itself acts at once: what it prints
// of a map is what the map holds then. But it interrupts nothing, so one that asks what it interrupts is an event's.
constexpr facts::KernelVersion kRunByUs{5, 10, 0};

Target timer(const Expanding& ask, const TimerPlace& place) {
  const bool by_us = ask.options.without_kernel || ask.machine.version() >= kRunByUs;
  if (ask.point.provider == Provider::interval && by_us && !ask.options.interrupted) return run_by_us(ask);
  return on_event(ask, probe::PerfEvent{.type = kSoftware, .config = 0, .period = place.period_ns, .frequency = place.frequency,
                                        .name = "cpu-clock", .one_cpu = ask.point.provider == Provider::interval});
}

Target counter(const Expanding& ask, const CounterPlace& place) {
  return on_event(ask, probe::PerfEvent{.type = place.event->hardware ? kHardware : kSoftware, .config = place.event->config,
                                        .period = place.period, .frequency = 0, .name = std::string(place.event->name)});
}

Target memory(const Expanding& ask, const MemoryPlace& place) {
  return on_event(ask, probe::Watchpoint{place.address, place.length, place.read, place.write, place.execute});
}

Result<std::vector<Target>> targets_of(const Expanding& ask) {
  auto one = [](Target target) {
    std::vector<Target> targets;
    targets.push_back(std::move(target));
    return Result<std::vector<Target>>(std::move(targets));
  };
  return std::visit(overload{
      [&](const NoPlace&) { return one(run_by_us(ask)); },
      [&](const NamePlace&) { return one(run_by_us(ask)); },
      [&](const SignalPlace&) { return one(run_by_us(ask)); },
      [&](const TimerPlace& p) { return one(timer(ask, p)); },
      [&](const CounterPlace& p) { return one(counter(ask, p)); },
      [&](const MemoryPlace& p) { return one(memory(ask, p)); },
      [&](const EventPlace& p) { return expand_tracepoint(ask, p); },
      [&](const RawEventPlace& p) { return expand_raw_tracepoint(ask, p); },
      [&](const KernelPlace& p) { return expand_kernel_function(ask, p); },
      [&](const ProgramPlace& p) { return expand_program(ask, p); },
      [&](const IteratorPlace& p) { return expand_iterator(ask, p); },
      [&](const UserPlace& p) { return expand_user_function(ask, p); },
      [&](const UsdtPlace& p) { return expand_usdt(ask, p); }}, ask.point.place);
}

}  // namespace

Result<Expansion> expand(Machine& machine, const AttachPoint& point, const ExpandOptions& options) {
  Expansion expansion;
  using enum Provider;
  constexpr Provider kOwn[] = {begin, end, self, test, bench, interval};
  if (options.without_kernel && std::ranges::find(kOwn, point.provider) == std::end(kOwn))
    return std::unexpected(Error{.kind = ErrorKind::unsupported, .message = fmt::format("only a kernel can fire {}", name_of(point)),
                                 .hint = "the user engine serves begin, end, interval, self, test and bench; leave --engine user away for the rest"});
  auto targets = targets_of({machine, point, options});
  if (!targets) {
    // What this kernel cannot probe at all is missing, too, to a script that takes that.
    bool is_missing = targets.error().kind == ErrorKind::not_found;
    if (!(is_missing || targets.error().kind == ErrorKind::unsupported) || options.missing == MissingProbes::error) {
      if (is_missing && targets.error().hint.empty() && !options.listing) targets.error().hint = "if that is expected: config = { missing_probes = \"warn\" }";
      return std::unexpected(std::move(targets.error()));
    }
    if (options.missing == MissingProbes::warn) expansion.warnings.push_back(std::move(targets.error()));
    return expansion;
  }
  if (options.wanted && point.provider != Provider::begin && point.provider != Provider::end)
    std::erase_if(*targets, [&](const Target& target) { return !options.wanted(target.name); });
  if (targets->size() > options.max_probes) {
    auto failure = fail(ErrorKind::exhausted, "{} means {} probes, more than the {} that are allowed", name_of(point), targets->size(), options.max_probes);
    failure.error().hint = "name fewer, or allow more: config = { max_probes = N }, or BPFTRACE_MAX_PROBES";
    return failure;
  }
  expansion.targets = std::move(*targets);
  return expansion;
}

}  // namespace espy::trace::probes
