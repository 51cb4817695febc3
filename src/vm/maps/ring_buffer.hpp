// The ring buffer: records of many producers, in order, read by one consumer in place.
#pragma once

#include <atomic>
#include <functional>

#include "base/fd.hpp"
#include "vm/map.hpp"

namespace espy::vm {

/// As the kernel's: a record is reserved, written, then submitted or discarded; the consumer sees records in the order in
/// which they were reserved, and waits at one that is not finished. The data pages are mapped twice, one behind the other, so
/// that a record never wraps. Producers take no lock: they move the end on by one atomic instruction. Whoever does that
/// writes the record's header only afterwards, so what was read is made zeroes, and a header of zero is one that is to come.
///
/// A user ring buffer is the same with the ends changed: user space produces, a program consumes.
class RingBuffer final : public Map {
 public:
  static Result<std::shared_ptr<RingBuffer>> make(MapAttributes attributes);

  std::vector<Region> regions() const override;

  // What producers do.
  std::byte* reserve(std::uint64_t size);           ///< nullptr: no room, or the size makes no sense
  /// Submits or discards; the record knows its buffer.
  static void finish(std::byte* record, bool discard);
  long output(const void* data, std::uint64_t size);
  std::uint64_t query(std::uint64_t what) const;    ///< BPF_RB_AVAIL_DATA, RING_SIZE, CONS_POS, PROD_POS

  // What the consumer does; one thread at a time.
  /// Hands over finished records until there is none, or `sink` returns false; gives how many.
  std::size_t consume(const std::function<bool(Bytes record)>& sink);
  /// For consumers that may meet: false, if another is at it; else it is the only one until it says that it is done.
  bool begin_consuming() { return !state_->consumed_by_somebody.exchange(true, std::memory_order_acquire); }
  void end_consuming() { state_->consumed_by_somebody.store(false, std::memory_order_release); }
  /// Records that found no room, since the start.
  std::uint64_t refused() const { return state_->refused.load(std::memory_order_relaxed); }

  RingBuffer(MapAttributes attributes, MappedRegion state, MappedRegion pages);

 private:
  struct State {
    alignas(64) std::atomic<std::uint64_t> consumed;
    std::atomic<bool> consumed_by_somebody;
    alignas(64) std::atomic<std::uint64_t> produced;
    alignas(64) std::atomic<std::uint64_t> refused;
  };
  MappedRegion state_pages_, pages_;   // pages_: both mappings of the data
  State* state_;
  std::byte* data_;
  std::uint64_t mask_;
};

}  // namespace espy::vm
