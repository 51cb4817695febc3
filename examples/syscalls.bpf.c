// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// System calls by process: how many, how many failed, and the time spent in them.
//
//   espy run syscalls.bpf.o --for 10s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct process {
	__u32 pid;
	char comm[16];
};

struct usage {
	__u64 calls;
	__u64 failed;
	__u64 total_ns;
	__u64 longest_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct process);
	__type(value, struct usage);
} system_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} entered_at SEC(".maps");

__u64 dropped; // calls of processes that found the map full

SEC("raw_tp/sys_enter")
int on_enter(void *ctx)
{
	__u32 thread = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&entered_at, &thread, &now, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_exit")
int BPF_PROG(on_exit, void *regs, long result)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 thread = id;
	struct process process = { .pid = id >> 32 };
	struct usage *usage, fresh = {};
	__u64 *since = bpf_map_lookup_elem(&entered_at, &thread), took;

	if (!since)
		return 0;
	took = bpf_ktime_get_ns() - *since;
	bpf_map_delete_elem(&entered_at, &thread);

	bpf_get_current_comm(process.comm, sizeof(process.comm));
	usage = bpf_map_lookup_elem(&system_calls, &process);
	if (!usage) {
		bpf_map_update_elem(&system_calls, &process, &fresh, BPF_NOEXIST);
		usage = bpf_map_lookup_elem(&system_calls, &process);
	}
	if (!usage) {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	__sync_fetch_and_add(&usage->calls, 1);
	__sync_fetch_and_add(&usage->total_ns, took);
	if (result < 0 && result >= -4095)
		__sync_fetch_and_add(&usage->failed, 1);
	if (took > usage->longest_ns)
		usage->longest_ns = took;
	return 0;
}
