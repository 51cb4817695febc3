// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs that write records on demand: each is run by BPF_PROG_TEST_RUN with {count, first value} as its arguments.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u64 number;
	__u64 filler[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} orders SEC(".maps");

__u64 refused = 0;      // records for which there was no room
__u64 order_sum = 0, order_count = 0;

struct todo {
	__u64 next;
	void *ctx;
};

static long one_small(__u32 i, struct todo *todo)
{
	struct event *e = bpf_ringbuf_reserve(&small, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->number = todo->next++;
	// Every seventh is thrown away: readers must step over it.
	if (e->number % 7 == 6)
		bpf_ringbuf_discard(e, 0);
	else
		bpf_ringbuf_submit(e, 0);
	return 0;
}

static long one_large(__u32 i, struct todo *todo)
{
	struct event *e = bpf_ringbuf_reserve(&large, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->number = todo->next++;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

static long one_perf(__u32 i, struct todo *todo)
{
	struct event e = {.number = todo->next++};
	if (bpf_perf_event_output(todo->ctx, &perf, BPF_F_CURRENT_CPU, &e, sizeof(e)))
		__sync_fetch_and_add(&refused, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int flood_small(struct bpf_raw_tracepoint_args *ctx)
{
	struct todo todo = {.next = ctx->args[1]};
	bpf_loop(ctx->args[0], one_small, &todo, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int flood_large(struct bpf_raw_tracepoint_args *ctx)
{
	struct todo todo = {.next = ctx->args[1]};
	bpf_loop(ctx->args[0], one_large, &todo, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int flood_perf(struct bpf_raw_tracepoint_args *ctx)
{
	struct todo todo = {.next = ctx->args[1], .ctx = ctx};
	bpf_loop(ctx->args[0], one_perf, &todo, 0);
	return 0;
}

static long one_order(struct bpf_dynptr *order, void *unused)
{
	__u64 *value = bpf_dynptr_data(order, 0, sizeof(*value));
	if (value)
		order_sum += *value;
	order_count++;
	return 0;
}

SEC("raw_tp/sys_enter")
int take_orders(struct bpf_raw_tracepoint_args *ctx)
{
	return bpf_user_ringbuf_drain(&orders, one_order, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
