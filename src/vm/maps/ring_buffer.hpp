// The ring buffer: records of many producers, in order, read by one consumer in place.
#pragma once

#include <atomic>
#include <functional>

#include "base/fd.hpp"
#include "vm/map.hpp"

namespace espy::vm {

/// As the kernel's: a record is reserved, written, then submitted or discarded; the consumer sees records in the order in
/// which they were reserved, and waits at one that is not finished. The data pages are mapped twice, one behind the other, so
/// that a record never wraps.
class RingBuffer final : public Map {
 public:
  static Result<std::shared_ptr<RingBuffer>> make(MapAttributes attributes);

  std::vector<Region> regions() const override;

  // What programs do.
  std::byte* reserve(std::uint64_t size);           ///< nullptr: no room, or the size makes no sense
  /// Submits or discards; the record knows its buffer.
  static void finish(std::byte* record, bool discard);
  long output(const void* data, std::uint64_t size);
  std::uint64_t query(std::uint64_t what) const;    ///< BPF_RB_AVAIL_DATA, RING_SIZE, CONS_POS, PROD_POS

  // What user space does; one thread at a time.
  /// Hands over finished records until there is none, or `sink` returns false; gives how many.
  std::size_t consume(const std::function<bool(Bytes record)>& sink);
  /// Records that found no room, since the start.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

  RingBuffer(MapAttributes attributes, MappedRegion pages, std::byte* data);

 private:
  MappedRegion pages_;             // both mappings of the data
  std::byte* data_;
  std::uint64_t mask_;
  alignas(64) std::atomic<std::uint64_t> consumed_{0};
  alignas(64) std::atomic<std::uint64_t> produced_{0};
  std::atomic<bool> lock_{false};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace espy::vm
