// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A spin lock in a global variable of its own section, and one in a map value.
#include "corpus.h"

struct guarded { struct bpf_spin_lock lock; int count; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, struct guarded); __uint(max_entries, 1); } locked SEC(".maps");
SEC("tc") int guard(struct __sk_buff *skb) {
  int key = 0;
  struct guarded *g = bpf_map_lookup_elem(&locked, &key);
  if (!g) return 0;
  bpf_spin_lock(&g->lock);
  g->count++;
  bpf_spin_unlock(&g->lock);
  return 0;
}
