// The kinds of maps, each a file; create.cpp has the table of who makes which.
#pragma once

#include "vm/map.hpp"

namespace espy::vm {

using MapMaker = Result<std::shared_ptr<Map>> (*)(MapAttributes);

Result<std::shared_ptr<Map>> make_array(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_hash(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_lpm_trie(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_queue(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_program_array(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_map_of_maps(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_bloom_filter(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_ring_buffer(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_target_map(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_perf_event_array(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_stack_traces(MapAttributes attributes);
Result<std::shared_ptr<Map>> make_task_storage(MapAttributes attributes);

MapAttributes attributes_of(const object::MapSpec& spec, const btf::Btf* types);
/// As the table of kinds says; a kind that it has not, and a file where the kind cannot be shared, are errors.
Result<std::shared_ptr<Map>> make_map(MapAttributes attributes);

/// "map `x` (hash): " in front of what is wrong.
std::unexpected<Error> bad_map(const MapAttributes& attributes, std::string what);

}  // namespace espy::vm
