// stack_trace: call chains by a number that is made from them.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "vm/map.hpp"

namespace espy::vm {

/// Programs put chains in and get their numbers; user space reads the chains: addresses, innermost first, then zeroes.
class StackTraces final : public Map {
 public:
  StackTraces(MapAttributes attributes, MappedRegion chains, std::uint32_t slots)
      : Map(std::move(attributes)), chains_(std::move(chains)), slots_(slots) {}

  std::vector<Region> regions() const override { return {}; }
  long erase(const void* key) override;

  std::uint32_t most_frames() const { return attributes_.value_size / 8; }
  /// The number of this chain. -EEXIST: another has it, and `replace` is off; -ENOMEM: as many chains as there may be.
  /// `hash_will_do`: a chain with the same hash counts as the same.
  long put(std::span<const std::uint64_t> chain, bool hash_will_do, bool replace);

 protected:
  long read_into(const void* key, std::byte* value) override;
  long next(const void* key, void* next_key) override;

 private:
  struct Slot {
    bool used = false;
    std::uint32_t hash = 0, frames = 0;
  };
  std::uint64_t* frames_of(std::size_t slot) const { return reinterpret_cast<std::uint64_t*>(chains_.data() + slot * attributes_.value_size); }

  std::mutex mutex_;
  MappedRegion chains_;
  std::vector<Slot> slots_;
  std::uint32_t used_ = 0;
};

}  // namespace espy::vm
