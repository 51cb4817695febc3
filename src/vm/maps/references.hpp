// Maps whose values stand for programs or for other maps.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "vm/map.hpp"

namespace espy::vm {

class Program;

/// What tail calls choose from.
class ProgramArray final : public Map {
 public:
  explicit ProgramArray(MapAttributes attributes) : Map(std::move(attributes)), programs_(attributes_.max_entries) {}
  std::vector<Region> regions() const override { return {}; }

  /// The program stays its object's, which must live as long as programs that call it. nullptr empties the slot.
  Result<void> set(std::uint32_t index, const Program* program);
  const Program* at(std::uint32_t index) const { return index < programs_.size() ? programs_[index].load(std::memory_order_acquire) : nullptr; }

 private:
  std::vector<std::atomic<const Program*>> programs_;
};

/// array_of_maps and hash_of_maps. Programs look inner maps up and use them; only user space puts them in.
class MapOfMaps final : public Map {
 public:
  MapOfMaps(MapAttributes attributes, std::shared_ptr<Map> references) : Map(std::move(attributes)), references_(std::move(references)) {}
  std::vector<Region> regions() const override { return {}; }

  /// The inner map, or nullptr.
  void* lookup(const void* key) override;
  /// Safe mode lets programs use maps of their own object only. The map is kept as long as this one lives.
  Result<void> put(Bytes key, std::shared_ptr<Map> map, std::uint64_t flags = kAny);

 private:
  std::shared_ptr<Map> references_;    // key → address of the inner map
  std::mutex mutex_;
  std::vector<std::shared_ptr<Map>> kept_;
};

}  // namespace espy::vm
