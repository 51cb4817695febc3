// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A kernel function under two prototypes.
#include "corpus.h"

extern struct task_struct *bpf_task_acquire___old(struct task_struct *p, int unused) __ksym __weak;
extern struct task_struct *bpf_task_acquire___new(struct task_struct *p) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym;
SEC("tp_btf/sched_switch") int BPF_PROG(acquire, bool preempt, struct task_struct *prev) {
  struct task_struct *task = 0;
  if (bpf_ksym_exists(bpf_task_acquire___new)) task = bpf_task_acquire___new(prev);
  else if (bpf_ksym_exists(bpf_task_acquire___old)) task = bpf_task_acquire___old(prev, 0);
  if (task) bpf_task_release(task);
  return 0;
}
