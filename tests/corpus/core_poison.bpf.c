// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Uses of missing fields without asking first: the instruction must not run.
#include "corpus.h"

struct task_struct___gone { int espy_gone; long espy_gone_too[4]; } PAI;
enum espy_gone_enum { ESPY_GONE = 3 };
SEC("raw_tp/sys_enter") int poisoned(void *ctx) {
  struct task_struct___gone *task = (void *)bpf_get_current_task();
  return BPF_CORE_READ(task, espy_gone) + BPF_CORE_READ(task, espy_gone_too[2]);
}
SEC("tp_btf/sched_switch") int BPF_PROG(poisoned_load, bool preempt, struct task_struct___gone *prev) { return prev->espy_gone + prev->espy_gone_too[1]; }
SEC("raw_tp/sys_enter") int poisoned_enum(void *ctx) { return bpf_core_enum_value(enum espy_gone_enum, ESPY_GONE); }
