// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel functions called from programs and subprograms.
#include "corpus.h"

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
static __noinline int flags_of(int pid) {
  struct task_struct *task = bpf_task_from_pid(pid);
  if (!task) return 0;
  int flags = task->flags;
  bpf_task_release(task);
  return flags;
}
SEC("tp_btf/sys_enter") int BPF_PROG(kfuncs) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return flags_of(1) + flags_of(2) ? 0 : 0;
}
