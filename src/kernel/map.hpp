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
  std::uint32_t btf_id = 0;             ///< id of the BTF object that describes key and value; 0: none
  std::uint32_t btf_key_type_id = 0, btf_value_type_id = 0;
  std::uint32_t btf_vmlinux_value_type_id = 0;  ///< struct_ops: the kernel's value type
};

/// Flags of update (BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK may be added).
enum class Update : std::uint64_t { any = 0, no_exist = 1, exist = 2, lock = 4 };
constexpr Update operator|(Update a, Update b) {
  return static_cast<Update>(static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b));
}

/// Owns a map's descriptor. The map lives on while programs, pins or other descriptors hold it.
/// Keys and values are raw bytes; a per-CPU value is one value for each possible CPU, each rounded up to 8 bytes.
/// A key or value of another size than the map's is refused before the kernel sees it.
class Map {
 public:
  /// No map: what Object::maps() holds for a map that was not created. Only `valid` and `fd` (-1) may be asked.
  Map() = default;
  /// Takes over a descriptor and asks the kernel what it is.
  static Result<Map> adopt(UniqueFd fd);
  static Result<Map> open_pinned(const std::string& path);

  bool valid() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  const MapInfo& info() const { return info_; }
  bool is_per_cpu() const;
  /// Bytes that lookup returns: value_size, or for a per-CPU map that of all CPUs.
  std::size_t value_bytes() const { return value_bytes_; }

  /// nullopt: no such key. Queues and stacks have no keys: an empty key peeks at the next element.
  Result<std::optional<std::vector<std::byte>>> lookup(Bytes key, std::uint64_t flags = 0) const;
  /// The same into the caller's buffer of value_bytes(); false: no such key.
  Result<bool> lookup_into(Bytes key, MutableBytes value, std::uint64_t flags = 0) const;
  /// Looks up and removes in one step: pops a queue or stack (4.20), takes a hash element (5.14).
  Result<std::optional<std::vector<std::byte>>> take(Bytes key, std::uint64_t flags = 0) const;
  /// Bloom filters: was this value (perhaps) added? Adding is `update({}, value)`.
  Result<bool> might_contain(Bytes value) const;
  /// Queues, stacks and bloom filters take an empty key.
  Result<void> update(Bytes key, Bytes value, Update flags = Update::any) const;
  /// false: there was no such key.
  Result<bool> erase(Bytes key) const;
  /// The key after this one, in the map's own order; an empty key asks for the first. nullopt: that was the last.
  Result<std::optional<std::vector<std::byte>>> next_key(Bytes key) const;
  /// Calls `visit` for each entry until it returns false; batched where the kernel can (5.6), else key by key.
  /// Entries that come or go meanwhile may or may not be seen. `visit` may erase the entry it is shown.
  Result<void> for_each(const std::function<bool(Bytes key, Bytes value)>& visit) const;
  /// The memory of an array made with BPF_F_MMAPABLE (5.5), whose elements are 8-byte aligned, or of an arena (6.9).
  Result<MappedRegion> map_memory(bool writable) const;
  /// No more writes from user space.
  Result<void> freeze() const;
  Result<void> pin(const std::string& path) const;

 private:
  Map(UniqueFd fd, MapInfo info, std::size_t value_bytes)
      : fd_(std::move(fd)), info_(std::move(info)), value_bytes_(value_bytes) {}
  /// "map `events` (hash)", for errors.
  std::string label() const;
  Result<void> check_key(Bytes key) const;
  Result<void> check_value(Bytes value) const;
  Result<bool> for_each_batched(const std::function<bool(Bytes, Bytes)>& visit) const;
  Result<void> for_each_by_key(const std::function<bool(Bytes, Bytes)>& visit) const;

  UniqueFd fd_;
  MapInfo info_;
  std::size_t value_bytes_ = 0;
};

/// Number of possible CPUs, as per-CPU maps count them (/sys/devices/system/cpu/possible).
Result<unsigned> possible_cpus();

}  // namespace espy::kernel
