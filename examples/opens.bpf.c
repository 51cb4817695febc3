// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs started and files opened, as they happen, with how long each open took.
//
//   espy run opens.bpf.o --for 10s
//
// Raw tracepoints serve every system call with one program at half the cost of a `syscalls:` tracepoint each.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs {
	unsigned long si;
	unsigned long ax;
};
struct linux_binprm {
	const char *filename;
};
#pragma clang attribute pop

enum action { EXEC, OPEN };

struct event {
	__u64 time_ns;
	__u32 pid;
	enum action action;
	char comm[16];
	__u64 latency_ns;
	__s32 result; // file descriptor, or -errno
	char path[128];
};

struct pending {
	__u64 since_ns;
	const char *path; // in user memory
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
	__type(value, struct event);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct pending);
} opening SEC(".maps");

const volatile __u32 only_pid = 0; // 0: every process
__u64 dropped;			   // events that found the ring buffer full

// Its number in the x86-64 system call table; C libraries open files with nothing else.
#define SYS_openat 257

static struct event *begin_event(enum action action)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->action = action;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

static int wanted(void)
{
	return !only_pid || only_pid == bpf_get_current_pid_tgid() >> 32;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, void *task, int old_pid, struct linux_binprm *binprm)
{
	struct event *event;

	if (!wanted())
		return 0;
	event = begin_event(EXEC);
	if (!event)
		return 0;
	event->latency_ns = 0;
	event->result = 0;
	bpf_probe_read_kernel_str(event->path, sizeof(event->path), binprm->filename);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct pending pending;

	if (number != SYS_openat || !wanted())
		return 0;
	pending.since_ns = bpf_ktime_get_ns();
	pending.path = (const char *)regs->si;
	bpf_map_update_elem(&opening, &thread, &pending, BPF_ANY);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result)
{
	__u32 thread = bpf_get_current_pid_tgid();
	struct pending *pending = bpf_map_lookup_elem(&opening, &thread);
	struct event *event;

	if (!pending)
		return 0;
	event = begin_event(OPEN);
	if (event) {
		event->latency_ns = event->time_ns - pending->since_ns;
		event->result = result;
		// The path's page may not have been in memory at the start of the call; now it is.
		if (bpf_probe_read_user_str(event->path, sizeof(event->path), pending->path) < 0)
			event->path[0] = 0;
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&opening, &thread);
	return 0;
}
