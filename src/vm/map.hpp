// Map: the kernel's maps, in user space, with the kernel's meaning.
//
// Programs call through this interface with raw pointers and get negative errno values, as helpers give them; user space
// calls the checked functions below it. All of it may be called from many threads at once, and lookups take no lock. A
// pointer that a lookup gave stays valid memory as long as the map lives; after the element was deleted it may become another
// element's, as in the kernel's preallocated maps.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "facts/types.hpp"
#include "object/spec.hpp"
#include "vm/maps/fields.hpp"
#include "vm/region.hpp"

namespace espy::vm {

/// BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK.
enum UpdateFlags : std::uint64_t { kAny = 0, kNoExist = 1, kExist = 2, kLock = 4 };

/// What map creation takes as flags: who may do what.
enum AccessFlags : std::uint32_t { kReadOnly = 1 << 3, kWriteOnly = 1 << 4, kProgramsRead = 1 << 7, kProgramsWrite = 1 << 8 };

struct MapAttributes {
  std::string name;
  facts::MapType type{};
  std::uint32_t key_size = 0, value_size = 0, max_entries = 0, flags = 0;
  std::uint64_t extra = 0;               ///< map_extra: hash functions of a bloom filter
  bool read_only_for_programs = false;   ///< BPF_F_RDONLY_PROG
  std::vector<ValueField> fields = {};   ///< of the value, that are the programs' alone: by offset
  std::shared_ptr<const UniqueFd> file = {};   ///< memory that other processes map too (vm/maps/shared.hpp); null: this process' own
};

/// Where values lie that are found by a 32-bit index: what compiled programs compute themselves.
struct ArrayLayout {
  std::uintptr_t begin = 0;
  std::uint32_t stride = 0, entries = 0;
  std::uint64_t cpu_stride = 0;          ///< from one CPU's values to the next one's; 0: all have the same
};

class Map {
 public:
  explicit Map(MapAttributes attributes) : attributes_(std::move(attributes)) {}
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;
  virtual ~Map();

  const MapAttributes& attributes() const { return attributes_; }
  virtual bool is_per_cpu() const { return false; }
  /// The first of this kind in its values; nullptr: they have none.
  const ValueField* field(ValueField::Kind kind) const;
  /// Memory that programs may reach through pointers of this map.
  virtual std::vector<Region> regions() const = 0;
  /// Of maps whose lookup is that.
  virtual std::optional<ArrayLayout> array_layout() const { return std::nullopt; }
  /// `lookup` without the way through the helper, for compiled programs; nullptr: there is no shorter one.
  using DirectLookup = std::uint64_t (*)(std::uint64_t map, std::uint64_t key);
  virtual DirectLookup direct_lookup() const { return nullptr; }
  /// The same for `update`.
  using DirectUpdate = std::uint64_t (*)(std::uint64_t map, std::uint64_t key, std::uint64_t value, std::uint64_t flags);
  virtual DirectUpdate direct_update() const { return nullptr; }

  // ---- what programs call; keys and values have the map's sizes ----
  virtual void* lookup(const void* key);
  virtual void* lookup_percpu(const void* key, unsigned cpu);
  virtual long update(const void* key, const void* value, std::uint64_t flags);
  virtual long erase(const void* key);
  /// The key of an element by its value, for timers. false: it is none of this map's.
  virtual bool key_of(const void* value, void* key) const;
  virtual long push(const void* value, std::uint64_t flags);
  virtual long pop(void* value);
  virtual long peek(void* value);
  /// Calls `visit(key, value)` for each element until it returns non-zero; gives how many were visited, or a negative errno.
  virtual long for_each(const std::function<long(const void* key, void* value)>& visit);

  // ---- what user space calls; errors carry the errno that the kernel gives (Error::sys) ----
  /// A per-CPU value is one for each CPU, each rounded up to 8 bytes.
  std::size_t value_bytes() const;
  /// nullopt: the key is not there. Of queues and stacks, whose key is empty: what is first. `flags`: BPF_F_LOCK or nothing.
  /// Fields that are the programs' alone (locks, timers, pointers) read as zeroes.
  Result<std::optional<std::vector<std::byte>>> read(Bytes key, std::uint64_t flags = kAny);
  /// Queues and stacks take it in; their key is empty.
  Result<void> write(Bytes key, Bytes value, std::uint64_t flags = kAny);
  Result<bool> remove(Bytes key);
  /// Reads and removes, for hash maps, queues and stacks.
  Result<std::optional<std::vector<std::byte>>> take(Bytes key);
  /// The key after this one, in the map's own order; an empty key asks for the first. nullopt: that was the last.
  Result<std::optional<std::vector<std::byte>>> next_key(Bytes key);
  /// No more writes from user space, for good.
  Result<void> freeze();
  bool frozen() const { return frozen_.load(std::memory_order_relaxed); }

 protected:
  /// Copies the value for user space, of a per-CPU map those of all CPUs. 0, or a negative errno.
  virtual long read_into(const void* key, std::byte* value);
  /// Copies a value but for the fields that are the programs' alone.
  void copy_value(void* to, const void* from) const {
    if (attributes_.fields.empty()) [[likely]] std::memcpy(to, from, attributes_.value_size);
    else copy_between_fields(to, from);
  }
  /// As copy_value; of a per-CPU map with what fills the value up to 8 bytes, as the kernel does for user space.
  void copy_all(void* to, const void* from) const {
    if (is_per_cpu() && attributes_.fields.empty()) std::memcpy(to, from, rounded_value());
    else copy_value(to, from);
  }
  /// As copy_value, under the lock in the value, which it has.
  void copy_value_locked(void* value, void* to, const void* from) const;
  /// BPF_F_LOCK without a lock in the value, which nobody takes.
  bool bad_lock(std::uint64_t flags) const { return (flags & kLock) != 0 && field(ValueField::Kind::lock) == nullptr; }
  /// Puts the values of all CPUs of an element that exists, or makes one.
  virtual long update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags);
  /// `key` null: the first. -ENOENT: that was the last.
  virtual long next(const void* key, void* next_key);

  MapAttributes attributes_;

 private:
  std::size_t rounded_value() const { return (std::size_t{attributes_.value_size} + 7) / 8 * 8; }
  Result<void> check_key(Bytes key) const;
  Result<void> check_change(Bytes key) const;
  void copy_between_fields(void* to, const void* from) const;
  std::atomic<bool> frozen_{false};
};

/// A map as a spec says, empty, or with the contents of a data section. Sizes that make no sense, a kind that has no meaning
/// in user space, and memory that is not to be had are errors. `types`, which the spec's value type is of, says which fields of
/// the value are special; without, none are.
Result<std::shared_ptr<Map>> create_map(const object::MapSpec& spec, const btf::Btf* types = nullptr);

/// 8-byte units, as map values are laid out.
constexpr std::size_t rounded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace espy::vm
