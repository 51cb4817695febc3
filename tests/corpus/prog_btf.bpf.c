// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs that attach to kernel types.
#include "corpus.h"

SEC("fentry/vfs_read") int BPF_PROG(enter, void *file, char *buf, unsigned long count) { return count > 0 ? 0 : 0; }
SEC("fexit/vfs_read") int BPF_PROG(leave, void *file, char *buf, unsigned long count, long long *pos, long ret) { return ret < 0 ? 0 : 0; }
SEC("fentry.s/vfs_write") int BPF_PROG(enter_sleepable) { return 0; }
SEC("fmod_ret/security_task_getpgid") int BPF_PROG(modify, void *task, int ret) { return ret; }
SEC("lsm/file_open") int BPF_PROG(lsm_open, void *file) { return 0; }
SEC("lsm.s/bprm_committed_creds") int BPF_PROG(lsm_sleepable, void *bprm) { return 0; }
SEC("lsm_cgroup/socket_bind") int BPF_PROG(lsm_cgroup_bind, void *sock) { return 1; }
SEC("tp_btf/sched_switch") int BPF_PROG(tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next) { return prev->pid == next->tgid ? 0 : 0; }
SEC("raw_tp/sys_enter") int BPF_PROG(raw_args, struct pt_regs *regs, long id) { return id == 39; }
