// The consumer of BPF_MAP_TYPE_RINGBUF.
//
// Memory (kernel/bpf/ringbuf.c): a page with the consumer's position, which we write; a page with the producers'
// position; the data, mapped twice in a row so that a record that wraps is contiguous. Positions count bytes and never
// wrap. Each record has a 32-bit length with a busy bit (reserved, not yet committed) and a discard bit.
//
// Publishing the consumer position for each record would bounce its cache line between us and every producer, who reads
// it at each reserve. So it is published in batches of 1/64 of the ring, at most 4096 bytes (a slow sink must not hold much
// back), and for each record while less than a quarter is free: late publishing must not cost a producer its record.
//
// The wake-up: a commit wakes the consumer only if the consumer's published position is that very record's. A consumer
// that publishes late can therefore miss a wake-up for what was committed in between. The drain ends only when a look at
// the ring *after* the last publication (a full fence between them) finds nothing more.
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "kernel/records.hpp"
#include "kernel/shared_memory.hpp"

namespace espy::kernel {

namespace {
constexpr std::uint64_t kMaxBatch = 4096;
}

struct RingBuffer::Impl {
  UniqueFd fd;                   // our own, so that the Map may go
  MappedRegion consumer, producer;
  const std::byte* data = nullptr;
  std::uint64_t capacity = 0;
  std::uint64_t position = 0;    // up to which records were handed over
  std::uint64_t published = 0;   // what the kernel was told
  std::uint64_t high_water = 0;
  std::uint64_t largest = 0;     // bytes of the largest record seen

  std::uint64_t produced() const { return load_acquire<std::uint64_t>(producer.data()); }
  void publish() {
    store_release<std::uint64_t>(consumer.data(), position);
    published = position;
  }

  struct Progress {
    std::size_t records = 0;
    bool stopped = false;      // the sink wants no more, or the bound is reached
    bool malformed = false;
  };
  Progress pass(RecordSink sink, std::uint64_t bound);
};

// Hands over what is committed, up to the first busy record or the byte position `bound`. The positions are kept in
// locals: the sink could be anything, so members would be written back for each record.
RingBuffer::Impl::Progress RingBuffer::Impl::pass(RecordSink sink, std::uint64_t bound) {
  Progress progress;
  const std::byte* const base = data;
  const std::uint64_t mask = capacity - 1, batch = std::min(capacity / 64, kMaxBatch), tight = capacity - capacity / 4;
  std::uint64_t at = position, told = published, end = produced(), longest = largest;
  high_water = std::max(high_water, end - at);
  while (at < end) {
    const std::byte* header = base + (at & mask);
    auto length = load_acquire<std::uint32_t>(header);
    if ((length & kBusyBit) != 0) break;
    std::uint32_t size = length & ~kDiscardBit;
    std::uint64_t span = record_span(size);
    if (span > mask + 1) [[unlikely]] {
      progress.malformed = true;
      break;
    }
    bool more = true;
    if ((length & kDiscardBit) == 0) {
      longest = std::max(longest, span);
      ++progress.records;
      more = sink(Bytes(header + kRecordHeader, size));
    }
    at += span;
    if (at - told >= batch || end - at > tight) {
      store_release<std::uint64_t>(consumer.data(), told = at);
      end = produced();
    }
    if (!more || at >= bound) {
      progress.stopped = true;
      break;
    }
  }
  position = at;
  published = told;
  largest = longest;
  return progress;
}

RingBuffer::RingBuffer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingBuffer::RingBuffer(RingBuffer&&) noexcept = default;
RingBuffer& RingBuffer::operator=(RingBuffer&&) noexcept = default;
RingBuffer::~RingBuffer() = default;

Result<RingBuffer> RingBuffer::open(const Map& map) {
  const MapInfo& info = map.info();
  if (info.type != facts::MapType::ringbuf) return fail(ErrorKind::invalid_argument, "map `{}` is no ring buffer", info.name);
  auto impl = std::make_unique<Impl>();
  impl->fd = UniqueFd(::fcntl(map.fd(), F_DUPFD_CLOEXEC, 0));
  if (!impl->fd) return fail_sys(errno, "ring buffer `{}`: duplicate its descriptor", info.name);
  impl->capacity = info.max_entries;
  std::size_t page = page_size();
  auto attempted = [&](Error error) { return std::unexpected(wrap(std::move(error), fmt::format("ring buffer `{}`", info.name))); };
  auto consumer = MappedRegion::map(impl->fd.get(), page, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  if (!consumer) return attempted(std::move(consumer.error()));
  auto producer = MappedRegion::map(impl->fd.get(), page + 2 * impl->capacity, PROT_READ, MAP_SHARED, page);
  if (!producer) return attempted(std::move(producer.error()));
  impl->consumer = std::move(*consumer);
  impl->producer = std::move(*producer);
  impl->data = impl->producer.data() + page;
  impl->position = impl->published = load_acquire<std::uint64_t>(impl->consumer.data());
  return RingBuffer(std::move(impl));
}

Result<std::size_t> RingBuffer::drain(RecordSink sink) {
  Impl& ring = *impl_;
  const std::uint64_t bound = ring.position + ring.capacity;
  std::size_t records = 0;
  for (;;) {
    std::uint64_t before = ring.position;
    Impl::Progress progress = ring.pass(sink, bound);
    if (ring.position != ring.published) ring.publish();
    if (progress.malformed) return fail(ErrorKind::malformed, "ring buffer: a record is larger than its ring of {} bytes", ring.capacity);
    records += progress.records;
    if (progress.stopped || ring.position == before) return records;
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

int RingBuffer::fd() const { return impl_->fd.get(); }
std::size_t RingBuffer::capacity() const { return impl_->capacity; }
std::size_t RingBuffer::waiting() const { return impl_->produced() - impl_->position; }
std::size_t RingBuffer::high_water() const { return impl_->high_water; }
// The kernel keeps one byte free, so that a position tells full from empty.
bool RingBuffer::was_full() const { return impl_->high_water != 0 && impl_->high_water + impl_->largest >= impl_->capacity; }

}  // namespace espy::kernel
