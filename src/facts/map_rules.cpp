// Helpers and the maps they take (the kernel's check_map_func_compatibility), held against the running kernel by
// tests/facts.
#include "facts/map_rules.hpp"

#include <algorithm>
#include <array>

#include "facts/prog_rules.hpp"

namespace espy::facts {
namespace {

using enum MapType;

constexpr MapTypes of(auto... types) { return MapTypes{types...}; }

constexpr MapTypes kPlain = of(hash, array, percpu_hash, percpu_array, lru_hash, lru_percpu_hash, lpm_trie, rhash);
constexpr MapTypes kEvents = of(perf_event_array);
constexpr MapTypes kSockets = of(sockmap, sockhash);
constexpr MapTypes kHolders = of(array_of_maps, hash_of_maps);

// clang-format off
constexpr MapHelperRow kMapHelpers[] = {
    {.helper = "bpf_map_lookup_elem", .maps = kPlain | kHolders},
    {.helper = "bpf_map_lookup_elem", .maps = of(xskmap, devmap, devmap_hash), .since = {5, 3}},
    {.helper = "bpf_map_lookup_elem", .maps = kSockets, .since = {5, 8}},
    {.helper = "bpf_map_update_elem", .maps = kPlain},
    {.helper = "bpf_map_update_elem", .maps = kSockets, .since = {5, 10}},
    {.helper = "bpf_map_delete_elem", .maps = kPlain},
    {.helper = "bpf_map_delete_elem", .maps = kSockets},
    {.helper = "bpf_map_push_elem", .maps = of(queue, stack, bloom_filter)},
    {.helper = "bpf_map_pop_elem", .maps = of(queue, stack)},
    {.helper = "bpf_map_peek_elem", .maps = of(queue, stack, bloom_filter)},
    {.helper = "bpf_map_lookup_percpu_elem", .maps = of(percpu_hash, percpu_array, lru_percpu_hash)},
    {.helper = "bpf_for_each_map_elem", .maps = of(hash, array, percpu_hash, percpu_array, lru_hash, lru_percpu_hash)},
    {.helper = "bpf_tail_call", .maps = of(prog_array)},
    {.helper = "bpf_perf_event_read", .maps = kEvents},
    {.helper = "bpf_perf_event_read_value", .maps = kEvents},
    {.helper = "bpf_perf_event_output", .maps = kEvents},
    {.helper = "bpf_skb_output", .maps = kEvents},
    {.helper = "bpf_xdp_output", .maps = kEvents},
    {.helper = "bpf_get_stackid", .maps = of(stack_trace)},
    {.helper = "bpf_skb_under_cgroup", .maps = of(cgroup_array)},
    {.helper = "bpf_current_task_under_cgroup", .maps = of(cgroup_array)},
    {.helper = "bpf_redirect_map", .maps = of(devmap, devmap_hash, cpumap, xskmap)},
    {.helper = "bpf_sk_redirect_map", .maps = of(sockmap)},
    {.helper = "bpf_msg_redirect_map", .maps = of(sockmap)},
    {.helper = "bpf_sock_map_update", .maps = of(sockmap)},
    {.helper = "bpf_sk_redirect_hash", .maps = of(sockhash)},
    {.helper = "bpf_msg_redirect_hash", .maps = of(sockhash)},
    {.helper = "bpf_sock_hash_update", .maps = of(sockhash)},
    {.helper = "bpf_get_local_storage", .maps = of(cgroup_storage, percpu_cgroup_storage)},
    {.helper = "bpf_sk_select_reuseport", .maps = of(reuseport_sockarray)},
    {.helper = "bpf_sk_select_reuseport", .maps = kSockets, .since = {5, 8}},
    {.helper = "bpf_sk_storage_get", .maps = of(sk_storage)},
    {.helper = "bpf_sk_storage_delete", .maps = of(sk_storage)},
    {.helper = "bpf_inode_storage_get", .maps = of(inode_storage)},
    {.helper = "bpf_inode_storage_delete", .maps = of(inode_storage)},
    {.helper = "bpf_task_storage_get", .maps = of(task_storage)},
    {.helper = "bpf_task_storage_delete", .maps = of(task_storage)},
    {.helper = "bpf_cgrp_storage_get", .maps = of(cgrp_storage)},
    {.helper = "bpf_cgrp_storage_delete", .maps = of(cgrp_storage)},
    {.helper = "bpf_ringbuf_output", .maps = of(ringbuf)},
    {.helper = "bpf_ringbuf_reserve", .maps = of(ringbuf)},
    {.helper = "bpf_ringbuf_query", .maps = of(ringbuf)},
    {.helper = "bpf_ringbuf_reserve_dynptr", .maps = of(ringbuf)},
    {.helper = "bpf_user_ringbuf_drain", .maps = of(user_ringbuf)},
    {.helper = "bpf_timer_init", .maps = kPlain},
};

struct SleepableMapRow {
  MapTypes maps{};
  KernelVersion since{};
};
constexpr SleepableMapRow kSleepableMaps[] = {
    {.maps = of(hash, lru_hash, array), .since = {5, 10}},
    {.maps = of(percpu_hash, percpu_array, lru_percpu_hash, array_of_maps, hash_of_maps), .since = {5, 12}},
    {.maps = of(ringbuf), .since = {5, 12}},
    {.maps = of(inode_storage, sk_storage, task_storage), .since = {5, 17}},
    {.maps = of(user_ringbuf), .since = {6, 1}},
    {.maps = of(cgrp_storage), .since = {6, 2}},
    {.maps = of(queue, stack, arena), .since = {6, 9}},
    {.maps = of(insn_array, rhash)},
};
// clang-format on

}  // namespace

std::span<const MapHelperRow> map_helpers() { return kMapHelpers; }

std::optional<KernelVersion> takes_map_since(const HelperRow& helper, MapType map) {
  const MapTypeRow* row = find(map);
  if (row == nullptr) return std::nullopt;
  for (const MapHelperRow& rule : kMapHelpers) {
    if (rule.helper == helper.name && rule.maps.has(map)) return std::max({helper.since, row->since, rule.since});
  }
  return std::nullopt;
}

bool may_update_sockets(ProgType type, std::optional<AttachType> attach, KernelVersion version) {
  using enum ProgType;
  switch (type) {
    case tracing: return attach == AttachType::trace_iter && version >= KernelVersion{5, 10};
    case sched_cls:
    case sched_act:
    case socket_filter:
    case sk_reuseport:
    case flow_dissector:
    case sk_lookup:
    case xdp: return version >= KernelVersion{5, 10};
    default: return false;
  }
}

std::optional<KernelVersion> sleepable_since(MapType map) {
  for (const SleepableMapRow& row : kSleepableMaps) {
    if (row.maps.has(map)) return std::max(row.since, find(map)->since);
  }
  return std::nullopt;
}

}  // namespace espy::facts
