// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Fields of the running kernel's types: present, missing, flavoured, nested, bit-fields.
#include "corpus.h"

struct task_struct___old { long state; } PAI;
struct task_struct___new { unsigned int __state; } PAI;
struct task_struct___none { int espy_no_such_field; } PAI;
struct task_struct___bits { unsigned sched_reset_on_fork : 1; unsigned in_execve : 1; } PAI;
struct mm_struct { unsigned long start_code; unsigned long total_vm; } PAI;
struct sk_buff { unsigned int len; union { struct { __u8 pkt_type : 3; __u8 ignore_df : 1; }; }; } PAI;
struct espy_no_such_type { int x; } PAI;
__u64 out[16];
SEC("raw_tp/sys_enter") int fields(void *ctx) {
  struct task_struct *task = (void *)bpf_get_current_task();
  out[0] = BPF_CORE_READ(task, real_parent, real_parent, pid);
  BPF_CORE_READ_STR_INTO(&out[1], task, comm);
  if (bpf_core_field_exists(((struct task_struct___new *)0)->__state)) out[3] = BPF_CORE_READ((struct task_struct___new *)task, __state);
  else if (bpf_core_field_exists(((struct task_struct___old *)0)->state)) out[3] = BPF_CORE_READ((struct task_struct___old *)task, state);
  if (bpf_core_field_exists(((struct task_struct___none *)0)->espy_no_such_field)) out[4] = BPF_CORE_READ((struct task_struct___none *)task, espy_no_such_field);
  out[5] = BPF_CORE_READ_BITFIELD_PROBED((struct task_struct___bits *)task, in_execve);
  out[6] = BPF_CORE_READ_BITFIELD_PROBED((struct task_struct___bits *)task, sched_reset_on_fork);
  out[7] = bpf_core_field_size(task->comm) + bpf_core_field_offset(struct task_struct, children.next);
  out[8] = BPF_CORE_READ(task, mm, total_vm);
  out[9] = bpf_core_type_exists(struct espy_no_such_type) * 2 + bpf_core_type_exists(struct task_struct);
  out[10] = bpf_core_type_size(struct task_struct) + bpf_core_type_size(struct espy_no_such_type);
  out[11] = bpf_core_type_id_kernel(struct task_struct) + bpf_core_type_id_local(struct task_struct);
  return 0;
}
SEC("tp_btf/sched_switch") int BPF_PROG(direct, bool preempt, struct task_struct *prev, struct task_struct *next) {
  out[12] = prev->tgid + next->mm->total_vm + next->real_parent->pid;
  return 0;
}
SEC("kprobe/skb_free") int in_skb(struct pt_regs *ctx) {
  struct sk_buff *skb = (void *)PT_REGS_PARM1(ctx);
  out[13] = BPF_CORE_READ(skb, len) + BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
  return 0;
}
