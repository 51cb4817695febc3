// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Maps of maps with initial inner maps.
#include "corpus.h"

struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, int); __uint(max_entries, 4); };
struct inner first SEC(".maps"), second SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 3); __type(key, int); __array(values, struct inner); } outer SEC(".maps") = {.values = {[0] = &first, [2] = &second}};
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 3); __type(key, int); __array(values, struct inner); } by_key SEC(".maps") = {.values = {&second}};
SEC("socket") int look(struct __sk_buff *skb) {
  int key = 0;
  void *map = bpf_map_lookup_elem(&outer, &key);
  if (!map) map = bpf_map_lookup_elem(&by_key, &key);
  if (!map) return 0;
  int *value = bpf_map_lookup_elem(map, &key);
  return value ? *value : 0;
}
