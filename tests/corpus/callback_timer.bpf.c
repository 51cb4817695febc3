// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A timer in a map value, its callback re-arming it.
#include "corpus.h"

struct elem { int runs; struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, struct elem); __uint(max_entries, 2); } timers SEC(".maps");
int fired;
static int tick(void *map, int *key, struct elem *value) { fired++; bpf_timer_start(&value->timer, 1000, 0); return 0; }
SEC("tc") int arm(struct __sk_buff *skb) {
  int key = 0;
  struct elem *value = bpf_map_lookup_elem(&timers, &key);
  if (!value) return 0;
  bpf_timer_init(&value->timer, &timers, 1);
  bpf_timer_set_callback(&value->timer, tick);
  return bpf_timer_start(&value->timer, 1000, 0);
}
