// Map types: enum bpf_map_type.
#include <array>

#include "facts/lookup.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

constexpr auto kMapTypes = std::to_array<MapTypeRow>({
    {.type = MapType::unspec, .name = "unspec", .since = {3, 18},
     .what = "no type: the kernel refuses to create it"},
    {.type = MapType::hash, .name = "hash", .since = {3, 19},
     .what = "any key to a value"},
    {.type = MapType::array, .name = "array", .since = {3, 19},
     .what = "indices 0 to n-1 to values, all present from the start"},
    {.type = MapType::prog_array, .name = "prog_array", .since = {4, 2},
     .what = "indices to programs, for tail calls"},
    {.type = MapType::perf_event_array, .name = "perf_event_array", .since = {4, 3},
     .what = "indices (CPUs) to performance events: event output through per-CPU buffers, hardware counters"},
    {.type = MapType::percpu_hash, .name = "percpu_hash", .since = {4, 6}, .per_cpu = true,
     .what = "any key to one value per CPU"},
    {.type = MapType::percpu_array, .name = "percpu_array", .since = {4, 6}, .per_cpu = true,
     .what = "indices to one value per CPU"},
    {.type = MapType::stack_trace, .name = "stack_trace", .since = {4, 6},
     .what = "stack ids to call chains"},
    {.type = MapType::cgroup_array, .name = "cgroup_array", .since = {4, 8},
     .what = "indices to cgroups, for membership tests"},
    {.type = MapType::lru_hash, .name = "lru_hash", .since = {4, 10},
     .what = "any key to a value; the least recently used entry makes room"},
    {.type = MapType::lru_percpu_hash, .name = "lru_percpu_hash", .since = {4, 10}, .per_cpu = true,
     .what = "any key to one value per CPU; the least recently used entry makes room"},
    {.type = MapType::lpm_trie, .name = "lpm_trie", .since = {4, 11},
     .what = "bit prefixes to values; the longest matching prefix is found"},
    {.type = MapType::array_of_maps, .name = "array_of_maps", .since = {4, 12}, .holds_maps = true,
     .what = "indices to maps"},
    {.type = MapType::hash_of_maps, .name = "hash_of_maps", .since = {4, 12}, .holds_maps = true,
     .what = "any key to a map"},
    {.type = MapType::devmap, .name = "devmap", .since = {4, 14},
     .what = "indices to network interfaces, for XDP redirects"},
    {.type = MapType::sockmap, .name = "sockmap", .since = {4, 14},
     .what = "indices to sockets, for redirects and verdicts"},
    {.type = MapType::cpumap, .name = "cpumap", .since = {4, 15},
     .what = "CPUs that XDP redirects packets to"},
    {.type = MapType::xskmap, .name = "xskmap", .since = {4, 18},
     .what = "indices to AF_XDP sockets"},
    {.type = MapType::sockhash, .name = "sockhash", .since = {4, 18},
     .what = "any key to a socket"},
    {.type = MapType::cgroup_storage, .name = "cgroup_storage", .since = {4, 19},
     .what = "a value per cgroup and attachment (superseded by cgrp_storage)"},
    {.type = MapType::reuseport_sockarray, .name = "reuseport_sockarray", .since = {4, 19},
     .what = "indices to sockets of SO_REUSEPORT groups"},
    {.type = MapType::percpu_cgroup_storage, .name = "percpu_cgroup_storage", .since = {4, 20}, .per_cpu = true,
     .what = "one value per CPU, per cgroup and attachment"},
    {.type = MapType::queue, .name = "queue", .since = {4, 20},
     .what = "values, first in first out"},
    {.type = MapType::stack, .name = "stack", .since = {4, 20},
     .what = "values, last in first out"},
    {.type = MapType::sk_storage, .name = "sk_storage", .since = {5, 2},
     .what = "a value that lives with a socket"},
    {.type = MapType::devmap_hash, .name = "devmap_hash", .since = {5, 4},
     .what = "any index to a network interface, for XDP redirects"},
    {.type = MapType::struct_ops, .name = "struct_ops", .since = {5, 6},
     .what = "the function pointers of a kernel interface that BPF implements"},
    {.type = MapType::ringbuf, .name = "ringbuf", .since = {5, 8},
     .what = "a byte stream of variable-size records to user space, shared by all CPUs"},
    {.type = MapType::inode_storage, .name = "inode_storage", .since = {5, 10},
     .what = "a value that lives with an inode"},
    {.type = MapType::task_storage, .name = "task_storage", .since = {5, 11},
     .what = "a value that lives with a task"},
    {.type = MapType::bloom_filter, .name = "bloom_filter", .since = {5, 16},
     .what = "set membership without false negatives"},
    {.type = MapType::user_ringbuf, .name = "user_ringbuf", .since = {6, 1},
     .what = "variable-size records from user space to programs"},
    {.type = MapType::cgrp_storage, .name = "cgrp_storage", .since = {6, 2},
     .what = "a value that lives with a cgroup"},
    {.type = MapType::arena, .name = "arena", .since = {6, 9},
     .what = "sparse memory shared by programs and user space, pointers valid on both sides"},
    {.type = MapType::insn_array, .name = "insn_array", .since = {6, 19},
     .what = "instruction offsets of a program, for indirect jumps"},
    {.type = MapType::rhash, .name = "rhash", .since = {7, 2},
     .what = "any key to a value; grows and shrinks with its entries"},
});
// clang-format on
static_assert(kMapTypes.size() == std::to_underlying(MapType::rhash) + 1U);
static_assert(rows_are_in_order(kMapTypes, [](const MapTypeRow& row) { return row.type; }));
static_assert(names_are_unique(kMapTypes));

}  // namespace

std::span<const MapTypeRow> map_types() { return kMapTypes; }
const MapTypeRow* find(MapType type) { return row_at(kMapTypes, std::to_underlying(type)); }
const MapTypeRow* find_map_type(std::string_view name) { return row_named(kMapTypes, name, "BPF_MAP_TYPE_"); }
std::string to_string(MapType type) { return name_or_number(find(type), "map type", std::to_underlying(type)); }

}  // namespace espy::facts
