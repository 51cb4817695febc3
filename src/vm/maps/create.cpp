#include <algorithm>
#include <array>
#include <cstring>

#include "facts/tables.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

using facts::MapType;

struct KindRow {
  MapType type{};
  MapMaker make = nullptr;
};
constexpr auto kKinds = std::to_array<KindRow>({
    {MapType::hash, make_hash},
    {MapType::array, make_array},
    {MapType::percpu_hash, make_hash},
    {MapType::percpu_array, make_array},
    {MapType::lru_hash, make_hash},
    {MapType::lru_percpu_hash, make_hash},
    {MapType::lpm_trie, make_lpm_trie},
    {MapType::queue, make_queue},
    {MapType::stack, make_queue},
    {MapType::prog_array, make_program_array},
    {MapType::array_of_maps, make_map_of_maps},
    {MapType::hash_of_maps, make_map_of_maps},
    {MapType::bloom_filter, make_bloom_filter},
    {MapType::ringbuf, make_ring_buffer},
});

constexpr std::uint32_t kReadOnlyForPrograms = 1U << 7;   // BPF_F_RDONLY_PROG

}  // namespace

std::unexpected<Error> bad_map(const MapAttributes& attributes, std::string what) {
  return fail(ErrorKind::invalid_argument, "map `{}` ({}): {}", attributes.name, facts::to_string(attributes.type), what);
}

Result<std::shared_ptr<Map>> create_map(const object::MapSpec& spec) {
  MapAttributes attributes{.name = spec.name, .type = spec.type, .key_size = spec.key_size, .value_size = spec.value_size,
                           .max_entries = spec.max_entries, .flags = spec.flags, .extra = spec.map_extra};
  attributes.read_only_for_programs = (spec.flags & kReadOnlyForPrograms) != 0;
  auto row = std::ranges::find(kKinds, spec.type, &KindRow::type);
  if (row == kKinds.end()) {
    return fail(ErrorKind::unsupported, "map `{}`: the user engine has no maps of type {}", spec.name, facts::to_string(spec.type));
  }
  std::shared_ptr<Map> map = TRY(row->make(std::move(attributes)));
  if (spec.is_data() && !spec.contents.empty()) {
    const std::uint32_t zero = 0;
    void* value = map->lookup(&zero);
    if (value == nullptr || spec.contents.size() > spec.value_size) return bad_map(map->attributes(), "its contents do not fit it");
    std::memcpy(value, spec.contents.data(), spec.contents.size());
  }
  return map;
}

}  // namespace espy::vm
