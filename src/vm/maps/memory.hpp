// Memory for maps: all of a map's state in one piece, zeroes at first, committed as it is used.
#pragma once

#include "base/fd.hpp"
#include "vm/map.hpp"

namespace espy::vm {

/// Where the state begins in a shared map's file: behind what tells of the map.
inline constexpr std::size_t kSharedHeader = 4096;

/// Bytes for this map: its own, or those of its file, which is made as long or must be so. `exhausted`: more than this machine
/// has. Maps with BPF_F_NO_PREALLOC need only address space.
Result<MappedRegion> map_memory(const MapAttributes& attributes, std::uint64_t bytes);

/// A number for hash functions, the same to all who share the map.
std::uint64_t map_seed(const MapAttributes& attributes);

}  // namespace espy::vm
