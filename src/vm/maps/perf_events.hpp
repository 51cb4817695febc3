// perf_event_array: records by CPU, each CPU's in a buffer of its own.
#pragma once

#include <mutex>
#include <vector>

#include "vm/maps/ring_buffer.hpp"

namespace espy::vm {

/// Programs write into the buffer of their CPU, once user space has opened it.
class PerfEventArray final : public Map {
 public:
  explicit PerfEventArray(MapAttributes attributes) : Map(std::move(attributes)), buffers_(attributes_.max_entries) {}
  ~PerfEventArray() override;
  std::vector<Region> regions() const override { return {}; }
  long erase(const void* key) override;

  /// A buffer for a slot, of a power of two of pages.
  Result<void> open(std::uint32_t slot, std::size_t bytes);
  /// One for each CPU that there is a slot for.
  Result<void> open_all(std::size_t bytes);
  /// -E2BIG: no such slot; -ENOENT: nobody opened it; -ENOSPC: it is full, and the record is counted as lost.
  long output(std::uint32_t slot, Bytes head, Bytes tail);

  /// Hands over records, buffer by buffer, until there is none or `sink` returns false; gives how many.
  std::size_t consume(const std::function<bool(std::uint32_t slot, Bytes record)>& sink);
  std::uint64_t lost() const;

 protected:
  long next(const void* key, void* next_key) override;

 private:
  std::vector<std::atomic<RingBuffer*>> buffers_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<RingBuffer>> kept_;   // also those that were taken out: a program may be writing
};

}  // namespace espy::vm
