// Each record ends with a sample_id {u64 time} (attr.sample_id_all): rings are written by their own CPUs, and only the time
// tells what came first. What was written while the rings were read is kept for the next time, so that a child's mapping on
// one CPU is not handed over before its fork on another.
#include "kernel/process_events.hpp"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "kernel/perf_ring.hpp"

namespace espy::kernel {

namespace {

constexpr std::size_t kHeader = sizeof(perf_event_header), kTime = 8;

struct TimedEvent {
  std::uint64_t time = 0;
  ProcessEvent event;
};

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

int id_at(Bytes record, std::size_t offset) { return load<std::int32_t>(record, offset); }

// PERF_RECORD_MMAP2: {u32 pid, tid; u64 addr, len, pgoff; u32 maj, min; u64 ino, ino_generation; u32 prot, flags; filename}
std::optional<ProcessEvent> read_mmap(Bytes record) {
  constexpr std::size_t kName = kHeader + 64;
  if (record.size() < kName + kTime) return std::nullopt;
  const char* name = reinterpret_cast<const char*>(record.data()) + kName;
  ProcessMmap event{.pid = id_at(record, kHeader)};
  symbol::Mapping& mapping = event.mapping;
  mapping.start = load<std::uint64_t>(record, kHeader + 8);
  mapping.end = mapping.start + load<std::uint64_t>(record, kHeader + 16);
  mapping.offset = load<std::uint64_t>(record, kHeader + 24);
  mapping.device_major = load<std::uint32_t>(record, kHeader + 32);
  mapping.device_minor = load<std::uint32_t>(record, kHeader + 36);
  mapping.inode = load<std::uint64_t>(record, kHeader + 40);
  mapping.path.assign(name, ::strnlen(name, record.size() - kName - kTime));
  if (mapping.end <= mapping.start) return std::nullopt;
  return event;
}

// PERF_RECORD_FORK and EXIT: {u32 pid, ppid, tid, ptid; u64 time}. A new thread has its process' pid as parent.
std::optional<ProcessEvent> read_task(Bytes record, bool is_fork) {
  if (record.size() < kHeader + 24 + kTime) return std::nullopt;
  const int pid = id_at(record, kHeader), parent = id_at(record, kHeader + 4), tid = id_at(record, kHeader + 8);
  if (pid != tid) return std::nullopt;
  if (!is_fork) return ProcessExit{pid};
  if (pid == parent) return std::nullopt;
  return ProcessFork{parent, pid};
}

std::optional<ProcessEvent> read_event(Bytes record) {
  if (record.size() < kHeader + kTime) return std::nullopt;
  perf_event_header header;
  std::memcpy(&header, record.data(), sizeof header);
  switch (header.type) {
    case PERF_RECORD_MMAP2: return read_mmap(record);
    case PERF_RECORD_FORK: return read_task(record, true);
    case PERF_RECORD_EXIT: return read_task(record, false);
    case PERF_RECORD_COMM:   // {u32 pid, tid; comm}: also when a process renames itself
      if (!(header.misc & PERF_RECORD_MISC_COMM_EXEC) || record.size() < kHeader + 8 + kTime) return std::nullopt;
      return ProcessExec{id_at(record, kHeader)};
    default: return std::nullopt;
  }
}

perf_event_attr attributes(std::size_t ring_bytes) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.sample_type = PERF_SAMPLE_TIME;
  attr.sample_id_all = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.mmap = attr.mmap2 = 1;   // of executable memory; mmap_data would add the rest
  attr.comm = attr.comm_exec = attr.task = 1;
  attr.exclude_kernel = 1;
  attr.watermark = 1;
  attr.wakeup_watermark = static_cast<std::uint32_t>(ring_bytes / 4);
  return attr;
}

}  // namespace

struct ProcessEvents::Impl {
  std::vector<PerfRing> rings;
  std::vector<std::byte> joined;
  std::vector<TimedEvent> waiting;   // read, but perhaps not yet next in time
};

ProcessEvents::ProcessEvents(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcessEvents::ProcessEvents(ProcessEvents&&) noexcept = default;
ProcessEvents& ProcessEvents::operator=(ProcessEvents&&) noexcept = default;
ProcessEvents::~ProcessEvents() = default;

Result<ProcessEvents> ProcessEvents::open(std::size_t pages_per_cpu) {
  if (pages_per_cpu == 0 || (pages_per_cpu & (pages_per_cpu - 1)) != 0)
    return fail(ErrorKind::invalid_argument, "a ring has a power of two of pages, not {}", pages_per_cpu);
  auto impl = std::make_unique<Impl>();
  for (unsigned cpu : TRY(online_cpus())) {
    auto ring = PerfRing::open(attributes(pages_per_cpu * 4096), cpu, pages_per_cpu);
    if (!ring) {
      Error error = wrap(std::move(ring.error()), "follow what processes do");
      if (error.kind == ErrorKind::permission)
        error.hint = "it needs CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8); without it, processes that have ended have no symbols";
      return std::unexpected(std::move(error));
    }
    impl->rings.push_back(std::move(*ring));
  }
  return ProcessEvents(std::move(impl));
}

Result<std::size_t> ProcessEvents::drain(const std::function<void(const ProcessEvent&)>& sink) {
  const std::uint64_t until = now();
  auto& waiting = impl_->waiting;
  auto take = [&](Bytes record) {
    if (auto event = read_event(record)) waiting.push_back({load<std::uint64_t>(record, record.size() - kTime), std::move(*event)});
    return true;
  };
  for (PerfRing& ring : impl_->rings)
    if (ring.consume_records(take, impl_->joined).malformed) return fail(ErrorKind::malformed, "a perf ring holds what is no record");
  std::ranges::stable_sort(waiting, {}, &TimedEvent::time);
  auto end = std::ranges::upper_bound(waiting, until, {}, &TimedEvent::time);
  const auto count = static_cast<std::size_t>(end - waiting.begin());
  for (auto event = waiting.begin(); event != end; ++event) sink(event->event);
  waiting.erase(waiting.begin(), end);
  return count;
}

Result<std::size_t> ProcessEvents::drain(symbol::Symboliser& symbols) {
  return drain([&](const ProcessEvent& event) {
    std::visit(overload{[&](const ProcessExec& e) { symbols.on_exec(e.pid); },
                        [&](const ProcessFork& e) { symbols.on_fork(e.parent, e.child); },
                        [&](const ProcessExit& e) { symbols.on_exit(e.pid); },
                        [&](const ProcessMmap& e) { symbols.on_mmap(e.pid, e.mapping); }},
               event);
  });
}

std::vector<int> ProcessEvents::fds() const {
  std::vector<int> fds;
  for (const PerfRing& ring : impl_->rings) fds.push_back(ring.fd());
  return fds;
}

std::uint64_t ProcessEvents::lost() const {
  std::uint64_t lost = 0;
  for (const PerfRing& ring : impl_->rings) lost += ring.lost();
  return lost;
}

}  // namespace espy::kernel
