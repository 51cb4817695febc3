// Maps of all kinds for fuzzed programs.
#pragma once

#include <vector>

#include "object/spec.hpp"

namespace espy::fuzz {

using facts::MapType;

inline object::MapSpec map_of(const char* name, MapType type, std::uint32_t key, std::uint32_t value, std::uint32_t entries) {
  object::MapSpec spec;
  spec.name = name, spec.type = type, spec.key_size = key, spec.value_size = value, spec.max_entries = entries;
  return spec;
}

/// The first program of an object, named "fuzzed", stands in the program array.
inline std::vector<object::MapSpec> maps() {
  std::vector<object::MapSpec> specs{
      map_of("array", MapType::array, 4, 16, 4),        map_of("hash", MapType::hash, 8, 24, 8),
      map_of("percpu", MapType::percpu_hash, 4, 8, 4),  map_of("lru", MapType::lru_hash, 4, 8, 16),
      map_of("ring", MapType::ringbuf, 0, 0, 4096),     map_of("queue", MapType::queue, 0, 8, 4),
      map_of("programs", MapType::prog_array, 4, 4, 4), map_of("outer", MapType::array_of_maps, 4, 4, 2),
      map_of("bloom", MapType::bloom_filter, 0, 8, 16)};
  specs[6].slots = {{0, std::string("fuzzed")}};
  specs[7].slots = {{0, object::MapIdx{0}}};
  object::MapSpec trie = map_of("trie", MapType::lpm_trie, 8, 8, 8);
  trie.flags = 1;   // BPF_F_NO_PREALLOC
  specs.push_back(trie);
  return specs;
}

}  // namespace espy::fuzz
