// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Floods of 64-byte records, written when BPF_PROG_TEST_RUN asks: {count} is the first argument.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u64 words[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

__u64 sent = 0, refused = 0;

static long to_ring(__u32 i, void *unused)
{
	struct event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	for (int word = 0; word < 8; word++)
		e->words[word] = i + word;
	bpf_ringbuf_submit(e, 0);
	__sync_fetch_and_add(&sent, 1);
	return 0;
}

static long to_perf(__u32 i, void **ctx)
{
	struct event e = {.words = {i}};
	bpf_perf_event_output(*ctx, &perf, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}

SEC("raw_tp/sys_enter")
int flood_ring(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_loop(ctx->args[0], to_ring, 0, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int flood_perf(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_loop(ctx->args[0], to_perf, &ctx, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
