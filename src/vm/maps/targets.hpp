// Maps of where packets are redirected to: devmap, devmap_hash, cpumap, xskmap.
#pragma once

#include "vm/map.hpp"

namespace espy::vm {

/// What stands in one for a key: an interface's number, a CPU's, or the descriptor of an AF_XDP socket.
class TargetMap final : public Map {
 public:
  TargetMap(MapAttributes attributes, std::shared_ptr<Map> present) : Map(std::move(attributes)), present_(std::move(present)) {}

  std::vector<Region> regions() const override;
  void* lookup(const void* key) override;
  long update(const void* key, const void* value, std::uint64_t flags) override;
  long erase(const void* key) override;

  bool is_device_map() const { return attributes_.type == facts::MapType::devmap || attributes_.type == facts::MapType::devmap_hash; }
  /// nullopt: nothing stands there.
  std::optional<std::uint32_t> target(std::uint32_t key) const;
  /// Of all keys, once each.
  std::vector<std::uint32_t> targets() const;

 protected:
  long next(const void* key, void* next_key) override;

 private:
  bool by_index() const { return attributes_.type != facts::MapType::devmap_hash; }
  long check_update(std::uint32_t key, std::uint32_t target, std::uint32_t program, std::uint64_t flags) const;

  std::shared_ptr<Map> present_;   // the keys that are set
};

}  // namespace espy::vm
