// The consumers of BPF_MAP_TYPE_PERF_EVENT_ARRAY: one perf event of type BPF output for each online CPU, each with a ring
// (perf_event_open(2), "MMAP layout"): a control page, whose data_head the kernel advances and whose data_tail we do,
// and a power of two of data pages. A record starts with {u32 type, u16 misc, u16 size} and may wrap around the end.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/text.hpp"
#include "kernel/records.hpp"
#include "kernel/shared_memory.hpp"

namespace espy::kernel {

namespace {

constexpr std::size_t kHeadOffset = offsetof(perf_event_mmap_page, data_head);
constexpr std::size_t kTailOffset = offsetof(perf_event_mmap_page, data_tail);

// "0-3,6" of /sys/devices/system/cpu/online.
Result<std::vector<unsigned>> online_cpus() {
  std::string text = TRY(read_text_file("/sys/devices/system/cpu/online"));
  std::vector<unsigned> cpus;
  for (std::string_view range : split(trim(text), ',')) {
    auto ends = split(range, '-');
    auto first = parse_number<unsigned>(ends.front()), last = parse_number<unsigned>(ends.back());
    if (!first || !last || *last > 65535) return fail(ErrorKind::malformed, "/sys/devices/system/cpu/online: `{}`", trim(text));
    for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

struct Ring {
  UniqueFd event = {};
  MappedRegion memory = {};
  std::byte* data = nullptr;
  std::uint64_t capacity = 0;
  bool counts_lost = false;         // the event itself knows (6.0); else only PERF_RECORD_LOST tells, with the next record
  std::uint64_t lost_told = 0;      // by PERF_RECORD_LOST

  std::uint64_t lost() const {
    std::uint64_t counts[2];        // {value, lost}
    bool known = counts_lost && ::read(event.get(), counts, sizeof counts) == static_cast<ssize_t>(sizeof counts);
    return known ? counts[1] : lost_told;
  }
};

Result<Ring> open_ring(unsigned cpu, std::size_t pages, std::uint32_t wakeup_bytes, bool count_lost) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_BPF_OUTPUT;
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.read_format = count_lost ? PERF_FORMAT_LOST : 0;
  attr.watermark = wakeup_bytes != 0 ? 1 : 0;
  if (wakeup_bytes != 0) attr.wakeup_watermark = wakeup_bytes;
  else attr.wakeup_events = 1;
  Ring ring{.counts_lost = count_lost};
  ring.event = UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!ring.event && errno == EINVAL && count_lost) return open_ring(cpu, pages, wakeup_bytes, false);
  if (!ring.event) return fail_sys(errno, "perf buffer: open an event on CPU {}", cpu);
  std::size_t page = page_size();
  auto memory = MappedRegion::map(ring.event.get(), (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED);
  if (!memory) {
    Error error = wrap(std::move(memory.error()), fmt::format("perf buffer of CPU {}", cpu));
    if (error.kind == ErrorKind::permission) error.hint = "locked memory is limited: raise /proc/sys/kernel/perf_event_mlock_kb, or use fewer pages";
    return std::unexpected(std::move(error));
  }
  ring.memory = std::move(*memory);
  ring.data = ring.memory.data() + page;
  ring.capacity = pages * page;
  if (::ioctl(ring.event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return fail_sys(errno, "perf buffer: enable the event of CPU {}", cpu);
  return ring;
}

}  // namespace

struct PerfBuffer::Impl {
  UniqueFd map;                     // our own; holds the events in the array until we go
  std::vector<Ring> rings;
  std::vector<std::byte> joined;    // of a record that wraps

  struct Progress {
    std::size_t records = 0;
    bool stopped = false, malformed = false;
  };
  Progress consume(Ring& ring, RecordSink sink);
  const std::byte* join(const Ring& ring, std::uint64_t at, std::size_t size);
};

// The hot loop: what it needs for each record is in locals, for the sink could be anything and members would be written
// back around each call; errors are told by a flag, so that making them costs no registers.
PerfBuffer::Impl::Progress PerfBuffer::Impl::consume(Ring& ring, RecordSink sink) {
  constexpr std::size_t kHeader = sizeof(perf_event_header), kRaw = kHeader + 4;   // a sample's raw data follow their size
  const std::byte* const data = ring.data;
  const std::uint64_t mask = ring.capacity - 1;
  std::byte* const control = ring.memory.data();
  auto tail = load_acquire<std::uint64_t>(control + kTailOffset);
  const auto head = load_acquire<std::uint64_t>(control + kHeadOffset);
  std::uint64_t publish_at = tail + ring.capacity / 64;
  Progress progress;
  while (tail < head && !progress.stopped) {
    const std::byte* record = data + (tail & mask);   // records are 8-byte aligned, so a header never wraps
    perf_event_header header;                         // {u32 type, u16 misc, u16 size}, read at once
    std::memcpy(&header, record, sizeof header);
    const std::size_t size = header.size;
    if (size < kHeader || size > head - tail) [[unlikely]] {
      progress.malformed = true;
      break;
    }
    if ((tail & mask) + size > mask + 1) [[unlikely]] record = join(ring, tail & mask, size);
    if (header.type == PERF_RECORD_SAMPLE && size >= kRaw) [[likely]] {
      std::uint32_t raw;
      std::memcpy(&raw, record + kHeader, sizeof raw);
      ++progress.records;
      progress.stopped = !sink(Bytes(record + kRaw, std::min<std::size_t>(raw, size - kRaw)));
    } else if (header.type == PERF_RECORD_LOST && size >= kHeader + 16) {
      ring.lost_told += load<std::uint64_t>(Bytes(record, size), kHeader + 8);   // {u64 id, u64 lost}
    }
    tail += size;
    if (tail >= publish_at) {
      store_release<std::uint64_t>(control + kTailOffset, tail);
      publish_at = tail + (mask + 1) / 64;
    }
  }
  store_release<std::uint64_t>(control + kTailOffset, tail);
  return progress;
}

// A record that goes over the end, in one piece.
const std::byte* PerfBuffer::Impl::join(const Ring& ring, std::uint64_t at, std::size_t size) {
  joined.assign(ring.data + at, ring.data + ring.capacity);
  joined.insert(joined.end(), ring.data, ring.data + (at + size - ring.capacity));
  return joined.data();
}

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
  for (unsigned cpu : TRY(online_cpus())) {
    if (cpu >= info.max_entries) break;
    auto ring = open_ring(cpu, pages_per_cpu, wakeup_bytes, true);
    if (!ring && ring.error().sys == ENODEV) continue;  // it went offline meanwhile
    if (!ring) return std::unexpected(wrap(std::move(ring.error()), fmt::format("perf buffer `{}`", info.name)));
    int event = ring->event.get();
    TRY(map.update(bytes_of(cpu), bytes_of(event)));
    impl->rings.push_back(std::move(*ring));
  }
  return PerfBuffer(std::move(impl));
}

Result<std::size_t> PerfBuffer::drain(RecordSink sink) {
  std::size_t records = 0;
  for (Ring& ring : impl_->rings) {
    Impl::Progress progress = impl_->consume(ring, sink);
    records += progress.records;
    if (progress.malformed) return fail(ErrorKind::malformed, "perf buffer: a record's size is not what its ring holds");
    if (progress.stopped) break;
  }
  return records;
}

std::uint64_t PerfBuffer::lost() const {
  std::uint64_t lost = 0;
  for (const Ring& ring : impl_->rings) lost += ring.lost();
  return lost;
}

std::vector<int> PerfBuffer::fds() const {
  std::vector<int> fds;
  for (const Ring& ring : impl_->rings) fds.push_back(ring.event.get());
  return fds;
}

}  // namespace espy::kernel
