// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// CO-RE in global functions, in callbacks and in a function that only a callback reaches.
#include "corpus.h"

__noinline int pid_of(__u64 task) { return BPF_CORE_READ((struct task_struct *)task, pid); }
static __noinline int flags_of(struct task_struct *task) { return BPF_CORE_READ(task, flags); }
static int each(__u32 index, void *data) { *(int *)data += flags_of((void *)bpf_get_current_task()) + index; return bpf_core_field_exists(((struct task_struct *)0)->mm); }
SEC("raw_tp/sys_enter") int sums(void *ctx) { int n = pid_of(bpf_get_current_task()); bpf_loop(2, each, &n, 0); return n; }
