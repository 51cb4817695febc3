// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tracing sections that attach to names.
#include "corpus.h"

SEC("tracepoint/syscalls/sys_enter_openat") int tp_long(void *ctx) { return 0; }
SEC("tp/sched/sched_switch") int tp_short(void *ctx) { return bpf_get_smp_processor_id(); }
SEC("raw_tp/sched_switch") int raw(struct bpf_raw_tracepoint_args *ctx) { return ctx->args[0] != 0; }
SEC("raw_tracepoint.w/bpf_test_finish") int raw_writable(void *ctx) { return 0; }
SEC("kprobe/vfs_read") int on_kprobe(struct pt_regs *ctx) { return PT_REGS_PARM1(ctx) != 0; }
SEC("kretprobe/vfs_read") int on_kretprobe(struct pt_regs *ctx) { return PT_REGS_RC(ctx); }
SEC("kprobe.multi/vfs_*") int multi(struct pt_regs *ctx) { return bpf_get_func_ip(ctx) != 0; }
SEC("kretprobe.multi/vfs_*") int multi_return(struct pt_regs *ctx) { return 0; }
SEC("uprobe//bin/bash:readline") int on_uprobe(struct pt_regs *ctx) { return 0; }
SEC("uretprobe//bin/bash:readline") int uretprobe(struct pt_regs *ctx) { return 0; }
SEC("uprobe.s//bin/bash:readline") int uprobe_sleepable(struct pt_regs *ctx) { return 0; }
SEC("uprobe") int uprobe_bare(struct pt_regs *ctx) { return 0; }
SEC("perf_event") int perf(void *ctx) { return 0; }
SEC("syscall") int on_call(void *ctx) { return 7; }
