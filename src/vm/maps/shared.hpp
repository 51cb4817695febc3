// Maps that processes share: their state lies in a file in memory, which one makes and the others are handed (a descriptor over
// a Unix socket, inherited by fork, or /proc/PID/fd/N). Lookups take no lock in any of them. Who has the file may write
// anything into it, so it is for processes that trust each other. A process that dies in the middle of an update leaves that
// part of the map locked.
#pragma once

#include "vm/map.hpp"

namespace espy::vm {

/// As create_map, in a file of its own. array, hash, lru_hash, ringbuf and user_ringbuf can be shared.
Result<std::shared_ptr<Map>> create_shared_map(const object::MapSpec& spec, const btf::Btf* types = nullptr);

/// Its descriptor, which stays the map's; -1: it is not shared.
int shared_file(const Map& map);

/// The map in a file that another process made. What is none, or was cut short, is an error.
Result<std::shared_ptr<Map>> open_shared_map(UniqueFd file);

}  // namespace espy::vm
