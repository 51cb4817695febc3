// The consumers of BPF_MAP_TYPE_PERF_EVENT_ARRAY: one perf event of type BPF output for each online CPU.
#include <fcntl.h>

#include <bit>
#include <cerrno>

#include "kernel/perf_ring.hpp"
#include "kernel/records.hpp"

namespace espy::kernel {

struct PerfBuffer::Impl {
  UniqueFd map;                     // our own; holds the events in the array until we go
  std::vector<PerfRing> rings;
  std::vector<std::byte> joined;    // of a record that wraps
};

PerfBuffer::PerfBuffer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PerfBuffer::PerfBuffer(PerfBuffer&&) noexcept = default;
PerfBuffer& PerfBuffer::operator=(PerfBuffer&&) noexcept = default;
PerfBuffer::~PerfBuffer() = default;

Result<PerfBuffer> PerfBuffer::open(const Map& map, std::size_t pages_per_cpu, std::uint32_t wakeup_bytes) {
  const MapInfo& info = map.info();
  if (info.type != facts::MapType::perf_event_array) return fail(ErrorKind::invalid_argument, "map `{}` is no perf event array", info.name);
  if (!std::has_single_bit(pages_per_cpu)) return fail(ErrorKind::invalid_argument, "perf buffer `{}`: {} pages is no power of two", info.name, pages_per_cpu);
  auto impl = std::make_unique<Impl>();
  impl->map = UniqueFd(::fcntl(map.fd(), F_DUPFD_CLOEXEC, 0));
  if (!impl->map) return fail_sys(errno, "perf buffer `{}`: duplicate its descriptor", info.name);
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_BPF_OUTPUT;
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.watermark = wakeup_bytes != 0 ? 1 : 0;
  if (wakeup_bytes != 0) attr.wakeup_watermark = wakeup_bytes;
  else attr.wakeup_events = 1;
  for (unsigned cpu : TRY(online_cpus())) {
    if (cpu >= info.max_entries) break;
    auto ring = PerfRing::open(attr, cpu, pages_per_cpu);
    if (!ring && ring.error().sys == ENODEV) continue;  // it went offline meanwhile
    if (!ring) return std::unexpected(wrap(std::move(ring.error()), fmt::format("perf buffer `{}`", info.name)));
    int event = ring->fd();
    TRY(map.update(bytes_of(cpu), bytes_of(event)));
    impl->rings.push_back(std::move(*ring));
  }
  return PerfBuffer(std::move(impl));
}

Result<std::size_t> PerfBuffer::drain(RecordSink sink) {
  std::size_t records = 0;
  for (PerfRing& ring : impl_->rings) {
    PerfRing::Progress progress = ring.consume(sink, impl_->joined);
    records += progress.records;
    if (progress.malformed) return fail(ErrorKind::malformed, "perf buffer: a record's size is not what its ring holds");
    if (progress.stopped) break;
  }
  return records;
}

std::uint64_t PerfBuffer::lost() const {
  std::uint64_t lost = 0;
  for (const PerfRing& ring : impl_->rings) lost += ring.lost();
  return lost;
}

std::vector<int> PerfBuffer::fds() const {
  std::vector<int> fds;
  for (const PerfRing& ring : impl_->rings) fds.push_back(ring.fd());
  return fds;
}

}  // namespace espy::kernel
