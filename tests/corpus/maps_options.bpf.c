// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Pinning, NUMA node, flags, a map of a named type, unused and read-only maps.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE); __type(key, __u32); __type(value, __u32); __uint(max_entries, 2); } read_only SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(map_flags, BPF_F_NUMA_NODE | BPF_F_NO_PREALLOC); __uint(numa_node, 0); __type(key, __u32); __type(value, struct list_head); __uint(max_entries, 2); } on_node SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u32); __uint(max_entries, 2); } unused SEC(".maps");
SEC("socket") int read(struct __sk_buff *skb) { __u32 key = 0, *v = bpf_map_lookup_elem(&read_only, &key); bpf_map_delete_elem(&on_node, &key); return v ? *v : 0; }
