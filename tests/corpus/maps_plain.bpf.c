// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Map types with keys and values.
#include "corpus.h"

#define MAP(name, kind) struct { __uint(type, kind); __type(key, __u32); __type(value, __u64); __uint(max_entries, 8); } name SEC(".maps")
MAP(hash, BPF_MAP_TYPE_HASH);
MAP(array, BPF_MAP_TYPE_ARRAY);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY);
MAP(lru, BPF_MAP_TYPE_LRU_HASH);
MAP(lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH);
SEC("socket") int touch(struct __sk_buff *skb) {
  __u32 key = skb->len & 7;
  __u64 one = 1, *v;
  bpf_map_update_elem(&hash, &key, &one, BPF_ANY);
  bpf_map_update_elem(&lru, &key, &one, BPF_NOEXIST);
  bpf_map_update_elem(&lru_percpu, &key, &one, BPF_ANY);
  bpf_map_delete_elem(&percpu_hash, &key);
  if ((v = bpf_map_lookup_elem(&array, &key))) *v += 1;
  if ((v = bpf_map_lookup_elem(&percpu_array, &key))) *v += 2;
  return 0;
}
