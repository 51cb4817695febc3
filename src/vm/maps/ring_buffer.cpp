#include "vm/maps/ring_buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

// A record's header: its length with two flags above, as in the kernel's format.
constexpr std::uint32_t kBusy = 1U << 31, kDiscarded = 1U << 30;
constexpr std::uint64_t kHeader = 8;

std::atomic_ref<std::uint32_t> header(std::byte* at) { return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(at)); }

}  // namespace

RingBuffer::RingBuffer(MapAttributes attributes, MappedRegion pages, std::byte* data)
    : Map(std::move(attributes)), pages_(std::move(pages)), data_(data), mask_(attributes_.max_entries - 1) {}

Result<std::shared_ptr<RingBuffer>> RingBuffer::make(MapAttributes attributes) {
  const std::size_t size = attributes.max_entries;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (!std::has_single_bit(size) || size < page) return bad_map(attributes, fmt::format("{} bytes are no power of two of pages", size));
  if (attributes.key_size != 0 || attributes.value_size != 0) return bad_map(attributes, "it has neither keys nor values");
  UniqueFd file(::memfd_create("espy-ring", MFD_CLOEXEC));
  if (!file) return fail_sys(errno, "memory for map `{}`", attributes.name);
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return fail_sys(errno, "memory for map `{}`", attributes.name);
  // Room for both, then the file into each half.
  MappedRegion pages = TRY(MappedRegion::map(-1, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE));
  for (std::size_t half : {std::size_t{0}, size}) {
    if (::mmap(pages.data() + half, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.get(), 0) == MAP_FAILED) {
      return fail_sys(errno, "memory for map `{}`", attributes.name);
    }
  }
  std::byte* data = pages.data();
  return std::make_shared<RingBuffer>(std::move(attributes), std::move(pages), data);
}

Result<std::shared_ptr<Map>> make_ring_buffer(MapAttributes attributes) {
  std::shared_ptr<Map> map = TRY(RingBuffer::make(std::move(attributes)));
  return map;
}

// Records are reached through reserve alone: safe mode knows them one by one.
std::vector<Region> RingBuffer::regions() const { return {}; }

std::byte* RingBuffer::reserve(std::uint64_t size) {
  if (size == 0 || size > mask_ - kHeader) return refused_.fetch_add(1, std::memory_order_relaxed), nullptr;
  const std::uint64_t room = rounded(size) + kHeader;
  while (lock_.exchange(true, std::memory_order_acquire)) {
    while (lock_.load(std::memory_order_relaxed)) relax();
  }
  const std::uint64_t at = produced_.load(std::memory_order_relaxed);
  std::byte* record = nullptr;
  if (at + room - consumed_.load(std::memory_order_acquire) <= mask_ + 1) {
    record = data_ + (at & mask_);
    header(record).store(static_cast<std::uint32_t>(size) | kBusy, std::memory_order_relaxed);
    produced_.store(at + room, std::memory_order_release);
  }
  lock_.store(false, std::memory_order_release);
  if (record == nullptr) return refused_.fetch_add(1, std::memory_order_relaxed), nullptr;
  return record + kHeader;
}

void RingBuffer::finish(std::byte* record, bool discard) {
  auto length = header(record - kHeader);
  std::uint32_t value = length.load(std::memory_order_relaxed) & ~kBusy;
  length.store(discard ? value | kDiscarded : value, std::memory_order_release);
}

long RingBuffer::output(const void* data, std::uint64_t size) {
  std::byte* record = reserve(size);
  if (record == nullptr) return -EAGAIN;
  std::memcpy(record, data, size);
  finish(record, false);
  return 0;
}

std::uint64_t RingBuffer::query(std::uint64_t what) const {
  const std::uint64_t consumed = consumed_.load(std::memory_order_acquire), produced = produced_.load(std::memory_order_acquire);
  switch (what) {
    case 0: return produced - consumed;
    case 1: return mask_ + 1;
    case 2: return consumed;
    case 3: return produced;
    default: return 0;
  }
}

std::size_t RingBuffer::consume(const std::function<bool(Bytes)>& sink) {
  std::size_t count = 0;
  std::uint64_t at = consumed_.load(std::memory_order_relaxed);
  while (at < produced_.load(std::memory_order_acquire)) {
    std::byte* record = data_ + (at & mask_);
    const std::uint32_t value = header(record).load(std::memory_order_acquire);
    if ((value & kBusy) != 0) break;
    const std::uint32_t length = value & ~kDiscarded;
    bool more = true;
    if ((value & kDiscarded) == 0) ++count, more = sink({record + kHeader, length});
    at += rounded(length) + kHeader;
    consumed_.store(at, std::memory_order_release);
    if (!more) break;
  }
  return count;
}

}  // namespace espy::vm
