// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// bpf_for_each_map_elem and bpf_find_vma.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 64); } table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 1); } per_cpu SEC(".maps");
static __u64 each(struct bpf_map *map, __u32 *key, __u64 *value, __u64 *sum) { *sum += *value; return 0; }
SEC("tc") int sum(struct __sk_buff *skb) {
  __u64 total = 0;
  bpf_for_each_map_elem(&table, each, &total, 0);
  bpf_for_each_map_elem(&per_cpu, each, &total, 0);
  return total;
}
