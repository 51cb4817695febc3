// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel stacks of getppid() in the process `target`.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 64);
	__uint(key_size, 4);
	__uint(value_size, 32 * 8);
} stacks SEC(".maps");

const volatile __u32 target = 0;

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[1] == 110 /* getppid */ && bpf_get_current_pid_tgid() >> 32 == target)
		bpf_get_stackid(ctx, &stacks, 0);
	return 0;
}
