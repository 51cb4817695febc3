#include "kernel/perf_ring.hpp"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "kernel/shared_memory.hpp"

namespace espy::kernel {

namespace {

constexpr std::size_t kHeadOffset = offsetof(perf_event_mmap_page, data_head);
constexpr std::size_t kTailOffset = offsetof(perf_event_mmap_page, data_tail);

UniqueFd open_event(perf_event_attr& attr, unsigned cpu) {
  return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace

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

Result<PerfRing> PerfRing::open(perf_event_attr attr, unsigned cpu, std::size_t pages) {
  PerfRing ring;
  attr.size = sizeof attr;
  attr.read_format = PERF_FORMAT_LOST;
  ring.event_ = open_event(attr, cpu);
  ring.counts_lost_ = static_cast<bool>(ring.event_);
  if (!ring.event_ && errno == EINVAL) {
    attr.read_format = 0;
    ring.event_ = open_event(attr, cpu);
  }
  if (!ring.event_) return fail_sys(errno, "open a perf event on CPU {}", cpu);
  std::size_t page = page_size();
  auto memory = MappedRegion::map(ring.event_.get(), (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED);
  if (!memory) {
    Error error = wrap(std::move(memory.error()), fmt::format("perf ring of CPU {}", cpu));
    if (error.kind == ErrorKind::permission) error.hint = "locked memory is limited: raise /proc/sys/kernel/perf_event_mlock_kb, or use fewer pages";
    return std::unexpected(std::move(error));
  }
  ring.memory_ = std::move(*memory);
  ring.data_ = ring.memory_.data() + page;
  ring.capacity_ = pages * page;
  if (::ioctl(ring.event_.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return fail_sys(errno, "enable the perf event of CPU {}", cpu);
  return ring;
}

// The hot loop: what it needs for each record is in locals, for the sink could be anything and members would be written
// back around each call; errors are told by a flag, so that making them costs no registers.
PerfRing::Progress PerfRing::consume(RecordSink sink, std::vector<std::byte>& joined) {
  constexpr std::size_t kHeader = sizeof(perf_event_header), kRaw = kHeader + 4;   // a sample's raw data follow their size
  const std::byte* const data = data_;
  const std::uint64_t mask = capacity_ - 1;
  std::byte* const control = memory_.data();
  auto tail = load_acquire<std::uint64_t>(control + kTailOffset);
  const auto head = load_acquire<std::uint64_t>(control + kHeadOffset);
  std::uint64_t publish_at = tail + capacity_ / 64;
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
    if ((tail & mask) + size > mask + 1) [[unlikely]] record = join(tail & mask, size, joined);
    if (header.type == PERF_RECORD_SAMPLE && size >= kRaw) [[likely]] {
      std::uint32_t raw;
      std::memcpy(&raw, record + kHeader, sizeof raw);
      ++progress.records;
      progress.stopped = !sink(Bytes(record + kRaw, std::min<std::size_t>(raw, size - kRaw)));
    } else if (header.type == PERF_RECORD_LOST && size >= kHeader + 16) {
      lost_told_ += load<std::uint64_t>(Bytes(record, size), kHeader + 8);   // {u64 id, u64 lost}
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

PerfRing::Progress PerfRing::consume_records(RecordSink sink, std::vector<std::byte>& joined) {
  auto tail = load_acquire<std::uint64_t>(memory_.data() + kTailOffset);
  const auto head = load_acquire<std::uint64_t>(memory_.data() + kHeadOffset);
  Progress progress;
  while (tail < head && !progress.stopped) {
    const std::uint64_t at = tail & (capacity_ - 1);
    perf_event_header header;
    std::memcpy(&header, data_ + at, sizeof header);
    const std::size_t size = header.size;
    if (size < sizeof header || size > head - tail) {
      progress.malformed = true;
      break;
    }
    const std::byte* record = at + size > capacity_ ? join(at, size, joined) : data_ + at;
    if (header.type == PERF_RECORD_LOST && size >= sizeof header + 16) lost_told_ += load<std::uint64_t>(Bytes(record, size), sizeof header + 8);
    else if (header.type != PERF_RECORD_SAMPLE) ++progress.records, progress.stopped = !sink(Bytes(record, size));
    tail += size;
  }
  store_release<std::uint64_t>(memory_.data() + kTailOffset, tail);
  return progress;
}

// A record that goes over the end, in one piece.
const std::byte* PerfRing::join(std::uint64_t at, std::size_t size, std::vector<std::byte>& joined) const {
  joined.assign(data_ + at, data_ + capacity_);
  joined.insert(joined.end(), data_, data_ + (at + size - capacity_));
  return joined.data();
}

std::uint64_t PerfRing::lost() const {
  std::uint64_t counts[2];   // {value, lost}
  bool known = counts_lost_ && ::read(event_.get(), counts, sizeof counts) == static_cast<ssize_t>(sizeof counts);
  return known ? counts[1] : lost_told_;
}

}  // namespace espy::kernel
