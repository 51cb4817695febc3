// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Queues and stacks.
#include "engine.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 3);
	__type(value, __u64);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 3);
	__type(value, __u64);
} stack SEC(".maps");

static __always_inline void use(void *map, __u32 at)
{
	__u64 value = 0, i;

	note(at, bpf_map_pop_elem(map, &value));
	note(at + 1, bpf_map_peek_elem(map, &value));
	for (i = 0; i < 4; i++) {
		value = 10 + i;
		note(at + 2 + i, bpf_map_push_elem(map, &value, 0));
	}
	value = 99;
	note(at + 6, bpf_map_push_elem(map, &value, BPF_EXIST));
	note(at + 7, bpf_map_push_elem(map, &value, BPF_NOEXIST));
	note(at + 8, bpf_map_peek_elem(map, &value));
	note(at + 9, value);
	for (i = 0; i < 4; i++) {
		note(at + 10 + 2 * i, bpf_map_pop_elem(map, &value));
		note(at + 11 + 2 * i, value);
	}
}

SEC("xdp")
int queues(struct xdp_md *ctx)
{
	use(&queue, 0);
	return 0;
}

SEC("xdp")
int stacks(struct xdp_md *ctx)
{
	use(&stack, 40);
	return 0;
}
