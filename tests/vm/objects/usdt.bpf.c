// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A static tracepoint of a program, with its arguments, behind a semaphore.
#include <linux/ptrace.h>
#include <stdbool.h>

#include "hits.h"
#include <bpf/usdt.bpf.h>

__u64 hits_fired, hits_argument_42;

SEC("usdt//job/target:espy:work") int BPF_USDT(work, int number, const char *text)
{
	hits_fired++;
	if (number == 42)
		hits_argument_42++;
	return 0;
}
