// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tail calls, maps of maps, bloom filters, dynptrs, spin locks.
#include "engine.h"

int end(struct xdp_md *ctx);
int again(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} programs SEC(".maps") = {.values = {[1] = (void *)&end, [2] = (void *)&again}};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&first, &second}};

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__type(value, __u64);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct locked {
	struct bpf_spin_lock lock;
	__u32 number;
	char bytes[64];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} values SEC(".maps");

__u64 turns;

SEC("xdp")
int end(struct xdp_md *ctx)
{
	note(1, ctx->data_end - ctx->data);
	return 77;
}

SEC("xdp")
int again(struct xdp_md *ctx)
{
	turns++;
	note(2, turns);
	bpf_tail_call(ctx, &programs, 2);
	return 34;
}

SEC("xdp")
int tail_call_taken(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &programs, 1);
	return 1;
}

SEC("xdp")
int tail_call_into_nothing(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
	bpf_tail_call(ctx, &programs, 4);
	return 5;
}

SEC("xdp")
int tail_calls_until_the_limit(struct xdp_md *ctx)
{
	turns = 0;
	bpf_tail_call(ctx, &programs, 2);
	return 6;
}

static __attribute__((noinline)) int inside(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &programs, 1);
	return 8;
}

SEC("xdp")
int tail_call_in_a_subprogram(struct xdp_md *ctx)
{
	int got = inside(ctx);

	return got + 1;
}

SEC("xdp")
int maps_of_maps(struct xdp_md *ctx)
{
	__u32 i, zero = 0;
	__u64 *value;
	void *map;

	for (i = 0; i < 4; i++) {
		__u32 key = i;

		map = bpf_map_lookup_elem(&outer, &key);
		note(10 + i, map != 0);
		if (!map)
			continue;
		value = bpf_map_lookup_elem(map, &zero);
		if (value)
			*value += 100 + i;
	}
	return 0;
}

SEC("xdp")
int bloom(struct xdp_md *ctx)
{
	__u64 value = 5, other = 6;

	note(20, bpf_map_peek_elem(&seen, &value));
	note(21, bpf_map_push_elem(&seen, &value, 0));
	note(22, bpf_map_peek_elem(&seen, &value));
	note(23, bpf_map_push_elem(&seen, &value, BPF_EXIST));
	note(24, bpf_map_peek_elem(&seen, &other));
	return 0;
}

SEC("xdp")
int dynptrs(struct xdp_md *ctx)
{
	struct bpf_dynptr pointer, record;
	__u32 zero = 0;
	struct locked *value = bpf_map_lookup_elem(&values, &zero);
	char text[8] = "dynptrs", back[8] = {};
	__u64 *data;

	if (!value)
		return 1;
	note(30, bpf_dynptr_from_mem(value->bytes, 64, 0, &pointer));
	note(31, bpf_dynptr_write(&pointer, 8, text, 8, 0));
	note(32, bpf_dynptr_write(&pointer, 57, text, 8, 0));
	note(33, bpf_dynptr_write(&pointer, 8, text, 8, 1));
	note(34, bpf_dynptr_read(back, 8, &pointer, 9, 0));
	note(35, *(__u64 *)back);
	note(36, bpf_dynptr_read(back, 8, &pointer, 60, 0));
	data = bpf_dynptr_data(&pointer, 8, 8);
	note(37, data ? *data : 0);
	note(38, bpf_dynptr_data(&pointer, 60, 8) != 0);
	note(39, bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &record));
	note(40, bpf_dynptr_write(&record, 0, text, 8, 0));
	bpf_ringbuf_submit_dynptr(&record, 0);
	note(41, bpf_ringbuf_reserve_dynptr(&ring, 100000, 0, &record));
	note(42, bpf_dynptr_write(&record, 0, text, 8, 0));
	bpf_ringbuf_discard_dynptr(&record, 0);
	note(43, bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	return 0;
}

SEC("tc")
int locks(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct locked *value = bpf_map_lookup_elem(&values, &zero);

	if (!value)
		return 1;
	bpf_spin_lock(&value->lock);
	value->number += skb->len;
	bpf_spin_unlock(&value->lock);
	note(50, value->number);
	return 0;
}
