// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the objects of this folder share: programs count their runs in global variables, those of one process where they
// can tell whose they are.
#pragma once
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The process (thread group) whose events count; the test sets it. */
__u32 target_pid;

#define HIT(counter) __sync_fetch_and_add(&counter, 1)

static __always_inline bool mine(void) { return bpf_get_current_pid_tgid() >> 32 == target_pid; }
