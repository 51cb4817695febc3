// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A subprogram that uses maps, globals and CO-RE: its relocations move with it.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, long); __uint(max_entries, 4); } counts SEC(".maps");
int hits;
const volatile int limit = 5;
static __noinline int count(int key) {
  long *value = bpf_map_lookup_elem(&counts, &key);
  if (value) __sync_fetch_and_add(value, 1);
  hits++;
  return limit;
}
static __noinline int parent_pid(void) {
  struct task_struct *task = (void *)bpf_get_current_task();
  return BPF_CORE_READ(task, real_parent, tgid);
}
SEC("tp/sched/sched_switch") int one(void *ctx) { return count(0) + parent_pid(); }
SEC("tp/sched/sched_switch") int two(void *ctx) { return parent_pid() + count(1) + count(2); }
SEC("raw_tp/sys_enter") int three(void *ctx) { return count(3); }
