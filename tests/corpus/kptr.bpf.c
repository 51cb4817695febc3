// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel pointers kept in a map's value.
#include "corpus.h"

struct keeps { struct task_struct __kptr *task; int n; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, int); __type(value, struct keeps); __uint(max_entries, 1); } kept SEC(".maps");
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
SEC("tp_btf/sched_switch") int BPF_PROG(keep, bool preempt, struct task_struct *prev) {
  int key = 0;
  struct keeps *v = bpf_map_lookup_elem(&kept, &key);
  struct task_struct *task = v ? bpf_task_acquire(prev) : 0;
  if (!task) return 0;
  task = bpf_kptr_xchg(&v->task, task);
  if (task) bpf_task_release(task);
  return 0;
}
