// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How long threads that could run waited for a CPU: a histogram of run-queue latency in microseconds.
//
//   espy run runqlat.bpf.o --for 10s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	int pid;
	unsigned int __state;
};
struct task_struct___before_5_14 {
	long state;
};
#pragma clang attribute pop

#define SLOTS 27

struct hist {
	__u64 slots[SLOTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} waiting_since SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hist);
} run_queue_latency_us SEC(".maps");

static int begins_to_wait(struct task_struct *task)
{
	__u32 pid = task->pid;
	__u64 now = bpf_ktime_get_ns();

	if (pid)
		bpf_map_update_elem(&waiting_since, &pid, &now, BPF_ANY);
	return 0;
}

static __u32 log2_of(__u64 value)
{
	__u32 log = 0;

#pragma unroll
	for (int shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			log += shift;
		}
	}
	return log;
}

static int still_runnable(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return task->__state == 0;
	return BPF_CORE_READ(old, state) == 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	return begins_to_wait(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task)
{
	return begins_to_wait(task);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, _Bool preempted, struct task_struct *previous, struct task_struct *next)
{
	__u32 pid = next->pid, zero = 0, slot;
	__u64 *since;
	struct hist *hist;

	// Preempted while it could still run: it waits again.
	if (still_runnable(previous))
		begins_to_wait(previous);
	since = bpf_map_lookup_elem(&waiting_since, &pid);
	if (!since)
		return 0;
	slot = log2_of((bpf_ktime_get_ns() - *since) / 1000);
	hist = bpf_map_lookup_elem(&run_queue_latency_us, &zero);
	if (hist)
		hist->slots[slot < SLOTS ? slot : SLOTS - 1]++;
	bpf_map_delete_elem(&waiting_since, &pid);
	return 0;
}
