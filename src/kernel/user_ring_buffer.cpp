// The producer of BPF_MAP_TYPE_USER_RINGBUF: the mirror image of the ring buffer. We write the producer's position and
// the data, the kernel (bpf_user_ringbuf_drain) the consumer's. A record is reserved busy and becomes visible when its
// header's busy bit is cleared.
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "kernel/records.hpp"
#include "kernel/shared_memory.hpp"

namespace espy::kernel {

struct UserRingBuffer::Impl {
  UniqueFd fd;                   // our own, so that the Map may go
  MappedRegion consumer, producer;
  std::byte* data = nullptr;
  std::uint64_t capacity = 0;
  std::byte* open = nullptr;     // header of the reserved record
  std::uint32_t open_size = 0;
  std::uint64_t rejected = 0;

  void commit(std::uint32_t flag) {
    if (open == nullptr) return;
    store_release<std::uint32_t>(open, open_size | flag);
    open = nullptr;
  }
};

UserRingBuffer::UserRingBuffer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UserRingBuffer::UserRingBuffer(UserRingBuffer&&) noexcept = default;
UserRingBuffer& UserRingBuffer::operator=(UserRingBuffer&&) noexcept = default;
// A record left open would block the kernel's consumer for good.
UserRingBuffer::~UserRingBuffer() {
  if (impl_) discard();
}

Result<UserRingBuffer> UserRingBuffer::open(const Map& map) {
  const MapInfo& info = map.info();
  if (info.type != facts::MapType::user_ringbuf) return fail(ErrorKind::invalid_argument, "map `{}` is no user ring buffer", info.name);
  auto impl = std::make_unique<Impl>();
  impl->fd = UniqueFd(::fcntl(map.fd(), F_DUPFD_CLOEXEC, 0));
  if (!impl->fd) return fail_sys(errno, "user ring buffer `{}`: duplicate its descriptor", info.name);
  impl->capacity = info.max_entries;
  std::size_t page = page_size();
  auto attempted = [&](Error error) { return std::unexpected(wrap(std::move(error), fmt::format("user ring buffer `{}`", info.name))); };
  auto consumer = MappedRegion::map(impl->fd.get(), page, PROT_READ, MAP_SHARED, 0);
  if (!consumer) return attempted(std::move(consumer.error()));
  auto producer = MappedRegion::map(impl->fd.get(), page + 2 * impl->capacity, PROT_READ | PROT_WRITE, MAP_SHARED, page);
  if (!producer) return attempted(std::move(producer.error()));
  impl->consumer = std::move(*consumer);
  impl->producer = std::move(*producer);
  impl->data = impl->producer.data() + page;
  return UserRingBuffer(std::move(impl));
}

Result<MutableBytes> UserRingBuffer::reserve(std::uint32_t size) {
  Impl& ring = *impl_;
  if (ring.open != nullptr) return fail(ErrorKind::invalid_argument, "user ring buffer: the record reserved before is still open");
  std::uint64_t span = record_span(size);
  if (span > ring.capacity) return fail(ErrorKind::invalid_argument, "user ring buffer: a record of {} bytes in a ring of {}", size, ring.capacity);
  auto consumed = load_acquire<std::uint64_t>(ring.consumer.data());
  auto position = load_acquire<std::uint64_t>(ring.producer.data());
  if (ring.capacity - (position - consumed) < span) {
    ++ring.rejected;
    return fail(ErrorKind::exhausted, "user ring buffer: no room for {} bytes until its program drains it", size);
  }
  std::byte* header = ring.data + (position & (ring.capacity - 1));
  store_release<std::uint32_t>(header, size | kBusyBit);
  store_release<std::uint32_t>(header + 4, 0);
  store_release<std::uint64_t>(ring.producer.data(), position + span);
  ring.open = header;
  ring.open_size = size;
  return MutableBytes(header + kRecordHeader, size);
}

void UserRingBuffer::submit() { impl_->commit(0); }
void UserRingBuffer::discard() { impl_->commit(kDiscardBit); }
std::uint64_t UserRingBuffer::rejected() const { return impl_->rejected; }
int UserRingBuffer::fd() const { return impl_->fd.get(); }

}  // namespace espy::kernel
