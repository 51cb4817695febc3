// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// CO-RE relocations in subprograms that several programs share.
#include "corpus.h"

static __noinline int tgid(struct task_struct *task) { return BPF_CORE_READ(task, tgid); }
static __noinline int parent(struct task_struct *task) { return tgid(BPF_CORE_READ(task, real_parent)); }
SEC("raw_tp/sys_enter") int first(void *ctx) { return parent((void *)bpf_get_current_task()); }
SEC("raw_tp/sys_exit") int second(void *ctx) { struct task_struct *t = (void *)bpf_get_current_task(); return tgid(t) + parent(t) + BPF_CORE_READ(t, flags); }
