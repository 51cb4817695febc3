// Map: the kernel's maps, in user space, with the kernel's meaning.
//
// Programs call through this interface with raw pointers and get negative errno values, as helpers give them; user space
// calls the checked functions below it. All of it may be called from many threads at once, and lookups take no lock. A
// pointer that a lookup gave stays valid memory as long as the map lives; after the element was deleted it may become another
// element's, as in the kernel's preallocated maps.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "facts/types.hpp"
#include "object/spec.hpp"
#include "vm/region.hpp"

namespace espy::vm {

/// BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK.
enum UpdateFlags : std::uint64_t { kAny = 0, kNoExist = 1, kExist = 2, kLock = 4 };

struct MapAttributes {
  std::string name;
  facts::MapType type{};
  std::uint32_t key_size = 0, value_size = 0, max_entries = 0, flags = 0;
  std::uint64_t extra = 0;               ///< map_extra: hash functions of a bloom filter
  bool read_only_for_programs = false;   ///< BPF_F_RDONLY_PROG
};

/// Where values lie that are found by a 32-bit index: what compiled programs compute themselves.
struct ArrayLayout {
  std::uintptr_t begin = 0;
  std::uint32_t stride = 0, entries = 0;
};

class Map {
 public:
  explicit Map(MapAttributes attributes) : attributes_(std::move(attributes)) {}
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;
  virtual ~Map() = default;

  const MapAttributes& attributes() const { return attributes_; }
  virtual bool is_per_cpu() const { return false; }
  /// Memory that programs may reach through pointers of this map.
  virtual std::vector<Region> regions() const = 0;
  /// Of maps whose lookup is that, for every thread alike.
  virtual std::optional<ArrayLayout> array_layout() const { return std::nullopt; }

  // ---- what programs call; keys and values have the map's sizes ----
  virtual void* lookup(const void* key);
  virtual void* lookup_percpu(const void* key, unsigned cpu);
  virtual long update(const void* key, const void* value, std::uint64_t flags);
  virtual long erase(const void* key);
  virtual long push(const void* value, std::uint64_t flags);
  virtual long pop(void* value);
  virtual long peek(void* value);
  /// Calls `visit(key, value)` for each element until it returns non-zero; gives how many were visited, or a negative errno.
  virtual long for_each(const std::function<long(const void* key, void* value)>& visit);

  // ---- what user space calls ----
  /// A per-CPU value is one for each CPU, each rounded up to 8 bytes.
  std::size_t value_bytes() const;
  Result<std::optional<std::vector<std::byte>>> read(Bytes key);
  Result<void> write(Bytes key, Bytes value, std::uint64_t flags = kAny);
  Result<bool> remove(Bytes key);
  /// The key after this one, in the map's own order; an empty key asks for the first. nullopt: that was the last.
  Result<std::optional<std::vector<std::byte>>> next_key(Bytes key);
  /// No more writes from user space.
  void freeze() { frozen_ = true; }

 protected:
  /// Puts the values of all CPUs of an element that exists, or makes one.
  virtual long update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags);
  /// `key` null: the first. -ENOENT: that was the last.
  virtual long next(const void* key, void* next_key);

  MapAttributes attributes_;

 private:
  Result<void> check_key(Bytes key) const;
  bool frozen_ = false;
};

/// A map as a spec says, empty, or with the contents of a data section. Sizes that make no sense, a kind that has no meaning
/// in user space, and memory that is not to be had are errors.
Result<std::shared_ptr<Map>> create_map(const object::MapSpec& spec);

/// 8-byte units, as map values are laid out.
constexpr std::size_t rounded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace espy::vm
