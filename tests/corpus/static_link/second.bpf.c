// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The other half.
#include "corpus.h"

extern struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); __uint(max_entries, 8); } shared SEC(".maps");
extern int total;
static volatile int own = 2;
const volatile int limit = 99;
extern int from_first(int x);

static __noinline int step(int x) { return x - own - bpf_get_prandom_u32(); }
__noinline int overridden(int x) { volatile int y = x; return y + 2; }
__noinline int from_second(int x) { volatile int y = x; return step(y) + total; }
static int each(__u32 index, void *data) { own++; return step(index); }

SEC("socket") int second(struct __sk_buff *skb) {
  struct task_struct *task = (void *)bpf_get_current_task();
  int key = 2;
  bpf_loop(3, each, 0, 0);
  return from_first(skb->len) + step(3) + overridden(1) + (bpf_map_lookup_elem(&shared, &key) != 0) + bpf_core_field_offset(task->tgid);
}
