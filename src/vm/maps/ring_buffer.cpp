#include "vm/maps/ring_buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

// A record's header: its length with flags above: the kernel's, and one by which a finished record of no bytes is not zero.
constexpr std::uint32_t kBusy = 1U << 31, kDiscarded = 1U << 30, kWritten = 1U << 29;
constexpr std::uint64_t kHeader = 8;

std::atomic_ref<std::uint32_t> header(std::byte* at) { return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(at)); }

}  // namespace

RingBuffer::RingBuffer(MapAttributes attributes, MappedRegion state, MappedRegion pages)
    : Map(std::move(attributes)), state_pages_(std::move(state)), pages_(std::move(pages)), state_(reinterpret_cast<State*>(state_pages_.data())), data_(pages_.data()),
      mask_(attributes_.max_entries - 1) {}

Result<std::shared_ptr<RingBuffer>> RingBuffer::make(MapAttributes attributes) {
  const std::size_t size = attributes.max_entries;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (!std::has_single_bit(size) || size < page) return bad_map(attributes, fmt::format("{} bytes are no power of two of pages", size));
  if (attributes.key_size != 0 || attributes.value_size != 0) return bad_map(attributes, "it has neither keys nor values");
  // A file of its own, or the one that it shares: its state in a page, then the data.
  std::shared_ptr<const UniqueFd> file = attributes.file;
  std::size_t begin = kSharedHeader;
  if (file == nullptr) {
    file = std::make_shared<const UniqueFd>(::memfd_create("espy-ring", MFD_CLOEXEC));
    begin = 0;
    if (!*file || ::ftruncate(file->get(), static_cast<off_t>(page + size)) != 0) return fail_sys(errno, "memory for map `{}`", attributes.name);
  } else {
    static_cast<void>(TRY(map_memory(attributes, page + size)));   // makes it as long, or says that it is not
  }
  MappedRegion state = TRY(MappedRegion::map(file->get(), page, PROT_READ | PROT_WRITE, MAP_SHARED, begin));
  // Room for both, then the data into each half.
  MappedRegion pages = TRY(MappedRegion::map(-1, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE));
  for (std::size_t half : {std::size_t{0}, size}) {
    if (::mmap(pages.data() + half, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file->get(), static_cast<off_t>(begin + page)) == MAP_FAILED) {
      return fail_sys(errno, "memory for map `{}`", attributes.name);
    }
  }
  return std::make_shared<RingBuffer>(std::move(attributes), std::move(state), std::move(pages));
}

Result<std::shared_ptr<Map>> make_ring_buffer(MapAttributes attributes) {
  std::shared_ptr<Map> map = TRY(RingBuffer::make(std::move(attributes)));
  return map;
}

// Records are reached through reserve alone: safe mode knows them one by one.
std::vector<Region> RingBuffer::regions() const { return {}; }

std::byte* RingBuffer::reserve(std::uint64_t size) {
  constexpr std::uint64_t kMost = (1U << 30) / 4;   // bytes of a record, as in the kernel
  const std::uint64_t room = rounded(size) + kHeader;
  if (size > kMost || room > mask_ + 1) return state_->refused.fetch_add(1, std::memory_order_relaxed), nullptr;
  std::uint64_t at = state_->produced.load(std::memory_order_relaxed);
  do {
    // The positions are never a whole ring apart: at least one header's place stays free, as in the kernel.
    if (at + room - state_->consumed.load(std::memory_order_acquire) > mask_) return state_->refused.fetch_add(1, std::memory_order_relaxed), nullptr;
  } while (!state_->produced.compare_exchange_weak(at, at + room, std::memory_order_relaxed));
  std::byte* record = data_ + (at & mask_);
  header(record).store(static_cast<std::uint32_t>(size) | kBusy, std::memory_order_relaxed);
  return record + kHeader;
}

void RingBuffer::finish(std::byte* record, bool discard) {
  auto length = header(record - kHeader);
  std::uint32_t value = length.load(std::memory_order_relaxed) & ~kBusy;
  length.store((discard ? value | kDiscarded : value) | kWritten, std::memory_order_release);
}

long RingBuffer::output(const void* data, std::uint64_t size) {
  std::byte* record = reserve(size);
  if (record == nullptr) return -EAGAIN;
  std::memcpy(record, data, size);
  finish(record, false);
  return 0;
}

std::uint64_t RingBuffer::query(std::uint64_t what) const {
  const std::uint64_t consumed = state_->consumed.load(std::memory_order_acquire), produced = state_->produced.load(std::memory_order_acquire);
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
  std::uint64_t at = state_->consumed.load(std::memory_order_relaxed);
  while (at < state_->produced.load(std::memory_order_acquire)) {
    std::byte* record = data_ + (at & mask_);
    const std::uint32_t value = header(record).load(std::memory_order_acquire);
    if (value == 0 || (value & kBusy) != 0) break;
    const std::uint32_t length = value & ~(kDiscarded | kWritten);
    if (length > mask_) break;   // written by a process that shares it, and wrong
    bool more = true;
    if ((value & kDiscarded) == 0) ++count, more = sink({record + kHeader, length});
    const std::uint64_t whole = rounded(length) + kHeader;
    std::memset(record + kHeader, 0, whole - kHeader);
    header(record).store(0, std::memory_order_relaxed);
    at += whole;
    state_->consumed.store(at, std::memory_order_release);
    if (!more) break;
  }
  return count;
}

}  // namespace espy::vm
