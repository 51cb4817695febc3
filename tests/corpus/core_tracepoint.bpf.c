// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A tracepoint's record as kernel BTF knows it, read from the context.
#include "corpus.h"

struct trace_entry { unsigned short type; int pid; } PAI;
struct trace_event_raw_sys_enter { struct trace_entry ent; long id; unsigned long args[6]; } PAI;
struct trace_event_raw_sys_exit { struct trace_entry ent; long id; long ret; } PAI;
struct trace_event_raw_sched_switch { struct trace_entry ent; char prev_comm[16]; int prev_pid; int next_pid; } PAI;
long calls, failed, switched;
SEC("tracepoint/raw_syscalls/sys_enter") int enter(struct trace_event_raw_sys_enter *ctx) { calls += ctx->id == 257 && ctx->args[2] & 64; return 0; }
SEC("tracepoint/raw_syscalls/sys_exit") int leave(struct trace_event_raw_sys_exit *ctx) { failed += ctx->ret < 0; return 0; }
SEC("tp/sched/sched_switch") int to(struct trace_event_raw_sched_switch *ctx) { switched += ctx->next_pid + ctx->prev_pid + ctx->prev_comm[1]; return 0; }
