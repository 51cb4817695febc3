#include "kernel/attach/perf_event.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "kernel/version.hpp"

namespace espy::kernel::attaching {

UniqueFd open_event(const EventRequest& request) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = request.type;
  attr.config = request.config;
  attr.config1 = request.config1;
  attr.config2 = request.config2;
  attr.bp_type = request.breakpoint;
  attr.sample_period = request.period;
  if (request.frequency != 0) {
    attr.freq = 1;
    attr.sample_freq = request.frequency;
  }
  return UniqueFd(static_cast<int>(::syscall(__NR_perf_event_open, &attr, request.pid, request.cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::optional<EventSource> event_source(const std::string& name) {
  std::string folder = "/sys/bus/event_source/devices/" + name;
  auto type_text = read_text_file(folder + "/type", 64);
  if (!type_text) return std::nullopt;
  auto type = parse_number<std::uint32_t>(trim(*type_text));
  if (!type) return std::nullopt;
  EventSource source{.type = *type, .return_bit = 0, .ref_ctr_shift = {}};
  // "config:0", "config:32-63"
  auto shift_of = [&](const std::string& field) -> std::optional<unsigned> {
    auto text = read_text_file(folder + "/format/" + field, 64);
    if (!text || !text->starts_with("config:")) return std::nullopt;
    std::string_view bits = trim(std::string_view(*text).substr(7));
    return parse_number<unsigned>(bits.substr(0, bits.find('-')));
  };
  if (auto bit = shift_of("retprobe"); bit && *bit < 64) source.return_bit = std::uint64_t{1} << *bit;
  source.ref_ctr_shift = shift_of("ref_ctr_offset");
  return source;
}

Result<Link> attach_to_events(const Call& call, std::vector<UniqueFd> events, std::span<const std::uint64_t> cookies) {
  constexpr Need kCookie{.what = "a cookie of a perf event's program", .since = {5, 15, 0}};
  std::vector<UniqueFd> links;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const UniqueFd& event = events[i];
    std::uint64_t cookie = cookies.empty() ? call.options.cookie : cookies[i];
    LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                        .target = static_cast<std::uint32_t>(event.get()),
                        .attach_type = static_cast<std::uint32_t>(facts::AttachType::perf_event)};
    attr.set(cookie);
    UniqueFd link = link_create(attr);
    if (link) {
      links.push_back(std::move(link));
      continue;
    }
    if (errno != EINVAL && errno != ENOTSUP && errno != 524) return refused(errno, call, {.what = "a program on a perf event", .capabilities = kTracing});
    if (cookie != 0 && running_version() < kCookie.since) return refused(EINVAL, call, kCookie);
    // Before 5.15, and where the kernel refuses a link for another reason, whose error this then tells.
    if (::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, call.program.fd()) != 0)
      return refused(errno, call, {.what = "a program on a perf event", .since = {4, 7, 0}, .capabilities = kTracing});
  }
  if (links.empty()) return Link(std::move(events), call.where);
  return Link(std::move(links), call.where, {}, std::move(events));
}

namespace {

// "0-3,8": the numbers of a CPU list.
std::vector<int> cpus_of(std::string_view list) {
  std::vector<int> cpus;
  for (std::string_view range : split(trim(list), ',')) {
    auto dash = range.find('-');
    auto first = parse_number<int>(range.substr(0, dash));
    auto last = dash == range.npos ? first : parse_number<int>(range.substr(dash + 1));
    if (!first || !last) continue;
    for (int cpu = *first; cpu <= *last && cpus.size() < 65536; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

constexpr Need kPerfEvent{.what = "a program on a perf event", .since = {4, 9, 0}, .options = "CONFIG_PERF_EVENTS", .capabilities = kTracing};

// The CPUs on which an event of no process is opened.
Result<std::vector<int>> cpus_online() { return cpus_of(TRY(read_text_file("/sys/devices/system/cpu/online", 1 << 16))); }

// One event a CPU; one for the process, wherever it runs, if there is one. Empty with errno set.
std::vector<UniqueFd> open_events(EventRequest request, const std::vector<int>& cpus) {
  std::vector<UniqueFd> events;
  for (int cpu : cpus) {
    request.cpu = cpu;
    UniqueFd event = open_event(request);
    if (!event && errno == ENODEV && cpus.size() > 1 && !events.empty()) continue;  // the CPU went offline
    if (!event) return {};
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::PerfEvent& probe) {
  EventRequest request{.type = probe.type, .config = probe.config, .period = probe.period, .frequency = probe.frequency};
  std::vector<int> cpus{-1};
  if (call.options.pid && !probe.one_cpu) request.pid = *call.options.pid;
  else cpus = TRY(cpus_online());
  if (probe.one_cpu && cpus.size() > 1) cpus.resize(1);
  auto events = open_events(request, cpus);
  if (!events.empty()) return attach_to_events(call, std::move(events));
  int error = errno;
  std::string hint;
  if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV)
    hint = probe.type == 0 ? "this machine offers no hardware counters (virtual machines often do not); cpu-clock serves instead, "
                             "for example perf_event:cpu-clock:99hz"
                           : "this kernel does not count that";
  if (error == EINVAL && probe.frequency != 0)
    hint = fmt::format("the highest rate is in /proc/sys/kernel/perf_event_max_sample_rate; {} Hz was asked for", probe.frequency);
  auto failure = refused(error, call, kPerfEvent, hint);
  if (failure.error().kind == ErrorKind::not_found) failure.error().kind = ErrorKind::unsupported;
  return failure;
}

Result<Link> attach_to(const Call& call, const probe::Watchpoint& probe) {
  EventRequest request{.type = PERF_TYPE_BREAKPOINT, .config1 = probe.address, .config2 = probe.execute ? sizeof(long) : probe.length, .period = 1};
  request.breakpoint = (probe.read ? 1U : 0U) | (probe.write ? 2U : 0U) | (probe.execute ? 4U : 0U);   // HW_BREAKPOINT_R, _W, _X
  std::vector<int> cpus{-1};
  if (call.options.pid) request.pid = *call.options.pid;
  else cpus = TRY(cpus_online());
  auto events = open_events(request, cpus);
  if (!events.empty()) return attach_to_events(call, std::move(events));
  int error = errno;
  std::string hint;
  if (error == ENOSPC) hint = "the processor watches four places at most, and all are taken";
  if (error == EINVAL) hint = fmt::format("the address must be a multiple of the length, {}", probe.length);
  if (error == ESRCH) hint = "there is no such process";
  if (error == EOPNOTSUPP || error == ENOENT || error == ENODEV) hint = "this machine has no hardware breakpoints (some virtual machines have none)";
  return refused(error, call, kPerfEvent, hint);
}

}  // namespace espy::kernel::attaching
