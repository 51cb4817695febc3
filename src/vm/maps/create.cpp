#include <algorithm>
#include <array>
#include <cstring>

#include "facts/tables.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

using facts::MapType;

// What BPF_MAP_CREATE may be told, one bit each.
enum CreateFlags : std::uint32_t {
  kNoPrealloc = 1 << 0, kNoCommonLru = 1 << 1, kNumaNode = 1 << 2, kStackBuildId = 1 << 5, kZeroSeed = 1 << 6, kClone = 1 << 9, kMmapable = 1 << 10,
  kPreserveElements = 1 << 11, kInnerMap = 1 << 12
};
constexpr std::uint32_t kAccess = kReadOnly | kWriteOnly | kProgramsRead | kProgramsWrite;
constexpr std::uint32_t kHashFlags = kNoPrealloc | kNumaNode | kZeroSeed | kAccess;
constexpr std::uint32_t kUserAccess = kReadOnly | kWriteOnly;

struct KindRow {
  MapType type{};
  MapMaker make = nullptr;
  std::uint32_t flags = 0;      ///< that it may be created with
  bool shareable = false;       ///< its state is one piece of memory without pointers
  bool has_fields = false;      ///< locks, timers and pointers may stand in its values
};
constexpr auto kKinds = std::to_array<KindRow>({
    {MapType::hash, make_hash, kHashFlags, true, true},
    {MapType::array, make_array, kNumaNode | kMmapable | kAccess | kPreserveElements | kInnerMap, true, true},
    {MapType::percpu_hash, make_hash, kHashFlags, false, true},
    {MapType::percpu_array, make_array, kNumaNode | kAccess, false, true},
    {MapType::lru_hash, make_hash, kNoCommonLru | kNumaNode | kZeroSeed | kAccess, true, true},
    {MapType::lru_percpu_hash, make_hash, kNoCommonLru | kNumaNode | kZeroSeed | kAccess, false, true},
    {MapType::lpm_trie, make_lpm_trie, kNoPrealloc | kNumaNode | kAccess},
    {MapType::queue, make_queue, kNumaNode | kAccess},
    {MapType::stack, make_queue, kNumaNode | kAccess},
    {MapType::prog_array, make_program_array, kNumaNode | kUserAccess},
    {MapType::array_of_maps, make_map_of_maps, kNumaNode | kUserAccess},
    {MapType::hash_of_maps, make_map_of_maps, kHashFlags},
    {MapType::bloom_filter, make_bloom_filter, kNumaNode | kZeroSeed | kAccess},
    {MapType::ringbuf, make_ring_buffer, kNumaNode, true},
    {MapType::user_ringbuf, make_ring_buffer, kNumaNode, true},
    {MapType::devmap, make_target_map, kNumaNode | kUserAccess},
    {MapType::devmap_hash, make_target_map, kNumaNode | kUserAccess},
    {MapType::cpumap, make_target_map, kNumaNode},
    {MapType::xskmap, make_target_map, kNumaNode | kUserAccess},
    {MapType::perf_event_array, make_perf_event_array, kNumaNode | kUserAccess | kPreserveElements},
    {MapType::stack_trace, make_stack_traces, kNumaNode | kUserAccess | kStackBuildId},
    {MapType::task_storage, make_task_storage, kNoPrealloc | kClone, false, true},
});

struct MissingRow {
  MapType type{};
  std::string_view why;
};
constexpr std::string_view kSockets = "it holds sockets of the kernel", kGroups = "it holds what belongs to cgroups, which only the kernel can tell";
constexpr auto kMissing = std::to_array<MissingRow>({
    {MapType::sockmap, kSockets}, {MapType::sockhash, kSockets}, {MapType::reuseport_sockarray, kSockets}, {MapType::sk_storage, kSockets},
    {MapType::cgroup_array, kGroups}, {MapType::cgroup_storage, kGroups}, {MapType::percpu_cgroup_storage, kGroups}, {MapType::cgrp_storage, kGroups},
    {MapType::inode_storage, "it holds what belongs to files of the kernel"}, {MapType::struct_ops, "it is an interface of the kernel's"},
});

Result<void> check_flags(const MapAttributes& attributes, const KindRow& row) {
  const std::uint32_t unknown = attributes.flags & ~row.flags;
  if (unknown != 0) return bad_map(attributes, fmt::format("flags {:#x}, which maps of its type have not", unknown));
  constexpr std::uint32_t kBoth = kProgramsRead | kProgramsWrite;
  if ((attributes.flags & kUserAccess) == kUserAccess || (attributes.flags & kBoth) == kBoth) return bad_map(attributes, "flags by which it is neither read nor written");
  return {};
}

}  // namespace

std::unexpected<Error> bad_map(const MapAttributes& attributes, std::string what) {
  return fail(ErrorKind::invalid_argument, "map `{}` ({}): {}", attributes.name, facts::to_string(attributes.type), what);
}

MapAttributes attributes_of(const object::MapSpec& spec, const btf::Btf* types) {
  MapAttributes attributes{.name = spec.name, .type = spec.type, .key_size = spec.key_size, .value_size = spec.value_size,
                           .max_entries = spec.max_entries, .flags = spec.flags, .extra = spec.map_extra};
  attributes.read_only_for_programs = (spec.flags & kProgramsRead) != 0;
  auto row = std::ranges::find(kKinds, spec.type, &KindRow::type);
  if (types != nullptr && row != kKinds.end() && row->has_fields && spec.value_type != btf::TypeId{}) attributes.fields = value_fields(*types, spec.value_type);
  std::erase_if(attributes.fields, [&](const ValueField& field) { return field.offset > spec.value_size || field.size > spec.value_size - field.offset; });
  return attributes;
}

Result<std::shared_ptr<Map>> make_map(MapAttributes attributes) {
  auto row = std::ranges::find(kKinds, attributes.type, &KindRow::type);
  if (row == kKinds.end()) {
    auto known = std::ranges::find(kMissing, attributes.type, &MissingRow::type);
    return fail(ErrorKind::unsupported, "map `{}`: the user engine has no maps of type {}{}{}", attributes.name, facts::to_string(attributes.type),
                known == kMissing.end() ? "" : ": ", known == kMissing.end() ? "" : known->why);
  }
  TRY(check_flags(attributes, *row));
  if (attributes.file != nullptr && !row->shareable) {
    return fail(ErrorKind::unsupported, "map `{}`: processes cannot share maps of type {}", attributes.name, facts::to_string(attributes.type));
  }
  return row->make(std::move(attributes));
}

Result<std::shared_ptr<Map>> create_map(const object::MapSpec& spec, const btf::Btf* types) {
  std::shared_ptr<Map> map = TRY(make_map(attributes_of(spec, types)));
  if (spec.is_data() && !spec.contents.empty()) {
    const std::uint32_t zero = 0;
    void* value = map->lookup(&zero);
    if (value == nullptr || spec.contents.size() > spec.value_size) return bad_map(map->attributes(), "its contents do not fit it");
    std::memcpy(value, spec.contents.data(), spec.contents.size());
  }
  return map;
}

}  // namespace espy::vm
