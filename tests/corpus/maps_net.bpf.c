// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Device, CPU, AF_XDP, socket maps.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 4); } devices SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_DEVMAP_HASH); __type(key, __u32); __type(value, struct bpf_devmap_val); __uint(max_entries, 4); } device_hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_CPUMAP); __type(key, __u32); __type(value, struct bpf_cpumap_val); __uint(max_entries, 2); } cpus SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_XSKMAP); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 4); } xsks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SOCKHASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4); } sockets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 4); } groups SEC(".maps");
SEC("xdp") int redirect(struct xdp_md *ctx) {
  switch (ctx->rx_queue_index & 3) {
    case 0: return bpf_redirect_map(&devices, 0, 0);
    case 1: return bpf_redirect_map(&cpus, 1, 0);
    case 2: return bpf_redirect_map(&device_hash, 7, 0);
    default: return bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS);
  }
}
SEC("xdp/devmap") int on_device(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp/cpumap") int on_cpu(struct xdp_md *ctx) { return XDP_PASS; }
SEC("sk_skb/stream_verdict") int to_socket(struct __sk_buff *skb) { __u32 key = 1; return bpf_sk_redirect_hash(skb, &sockets, &key, 0); }
SEC("tp/sched/sched_switch") int in_group(void *ctx) { return bpf_current_task_under_cgroup(&groups, 0); }
