// Regions: the memory that a running program may touch, for safe mode, and for saying what a bad access hit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espy::vm {

/// Memory of one kind: [begin, end). A region of equal objects (the values of a map) may be accessed within one object only.
struct Region {
  std::uintptr_t begin = 0, end = 0;
  std::uint32_t stride = 0;      ///< bytes from one object to the next; 0: the region is one object
  std::uint32_t object = 0;      ///< bytes of an object that may be touched
  bool writable = true;
  std::string_view what = {};    ///< "stack", "context", "map `events`": owned by whoever adds it
};

/// Some regions, none overlapping another.
class Regions {
 public:
  void add(const Region& region);
  /// Removes the region that begins here.
  void remove(std::uintptr_t begin);
  void clear() { regions_.clear(); }

  /// The region in which [address, address + size) lies whole and may be touched so; nullptr: none.
  const Region* find(std::uintptr_t address, std::uint64_t size, bool write) const;
  std::span<const Region> all() const { return regions_; }

 private:
  std::vector<Region> regions_;   // by begin
};

/// Where an address lies, for messages: "16 bytes behind the end of the stack".
std::string place_of(std::uintptr_t address, std::span<const Region> regions);

}  // namespace espy::vm
