// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One of each thing that `espy run` shows: records by ring buffer and by perf buffer, maps, per-CPU maps, a histogram,
// global data. Every getppid() of the process `target` counts.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

enum colour { RED, GREEN, BLUE = 7 };

struct record {
	__u32 pid;
	enum colour colour;
	char comm[16];
	__be32 saddr;
	__u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
	__type(value, struct record);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct sample {
	__u64 number;
	__s32 negative;
};
struct sample *unused_sample __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, enum colour);
	__type(value, __u64);
} by_colour SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct hist {
	__u32 slots[8];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hist);
} latency SEC(".maps");

const volatile __u32 target = 0;
__u64 calls;
__u64 limit = 3;
char greeting[8] = "hello";

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 zero = 0;
	__u64 one = 1, *count;
	enum colour blue = BLUE;
	struct record *record;
	struct sample sample = {};
	struct hist *hist;

	if (ctx->args[1] != 110 /* getppid */ || bpf_get_current_pid_tgid() >> 32 != target)
		return 0;
	if (__sync_fetch_and_add(&calls, 1) >= limit)
		return 0;
	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (record) {
		record->pid = target;
		record->colour = BLUE;
		__builtin_memset(record->comm, 0, sizeof(record->comm));
		record->comm[0] = 'o';
		record->comm[1] = 'k';
		record->saddr = __builtin_bswap32(0x7f000001);
		record->number = calls;
		bpf_ringbuf_submit(record, 0);
	}
	sample.number = calls;
	sample.negative = -5;
	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &sample, sizeof(sample));

	count = bpf_map_lookup_elem(&by_colour, &blue);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&by_colour, &blue, &one, BPF_ANY);
	count = bpf_map_lookup_elem(&per_cpu, &zero);
	if (count)
		*count += 1;
	hist = bpf_map_lookup_elem(&latency, &zero);
	if (hist)
		hist->slots[2]++;
	return 0;
}

SEC("socket")
int answer(void *ctx)
{
	return 42;
}
