// A map that lives in the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "facts/types.hpp"

namespace espy::kernel {

/// What the kernel says of a map (BPF_OBJ_GET_INFO_BY_FD).
struct MapInfo {
  std::uint32_t id = 0;
  facts::MapType type{};
  std::uint32_t key_size = 0, value_size = 0, max_entries = 0, flags = 0;
  std::uint64_t map_extra = 0;
  std::string name;
};

/// Flags of update (BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK may be added).
enum class Update : std::uint64_t { any = 0, no_exist = 1, exist = 2, lock = 4 };

/// Owns a map's descriptor. The map lives on while programs, pins or other descriptors hold it.
/// Keys and values are raw bytes; a per-CPU value is one value for each possible CPU, each rounded up to 8 bytes.
class Map {
 public:
  /// Takes over a descriptor and asks the kernel what it is.
  static Result<Map> adopt(UniqueFd fd);
  static Result<Map> open_pinned(const std::string& path);

  int fd() const { return fd_.get(); }
  const MapInfo& info() const { return info_; }
  bool is_per_cpu() const;
  /// Bytes that lookup returns: value_size, or for a per-CPU map that of all CPUs.
  std::size_t value_bytes() const;

  /// nullopt: no such key.
  Result<std::optional<std::vector<std::byte>>> lookup(Bytes key, std::uint64_t flags = 0) const;
  Result<void> update(Bytes key, Bytes value, Update flags = Update::any) const;
  /// false: there was no such key.
  Result<bool> erase(Bytes key) const;
  /// Calls `visit` for each entry until it returns false; batched where the kernel can (5.6), else key by key.
  /// Entries that come or go meanwhile may or may not be seen.
  Result<void> for_each(const std::function<bool(Bytes key, Bytes value)>& visit) const;
  /// No more writes from user space.
  Result<void> freeze() const;
  Result<void> pin(const std::string& path) const;

 private:
  Map(UniqueFd fd, MapInfo info) : fd_(std::move(fd)), info_(std::move(info)) {}
  UniqueFd fd_;
  MapInfo info_;
};

/// Number of possible CPUs, as per-CPU maps count them (/sys/devices/system/cpu/possible).
Result<unsigned> possible_cpus();

}  // namespace espy::kernel
