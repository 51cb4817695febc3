// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Timers in values: armed, they count themselves up to three; one is cancelled, one goes with its element.
#include "engine.h"

#define CLOCK_MONOTONIC 1

struct element {
	__u64 fired;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct element);
} armed SEC(".maps");

static int again(void *map, __u32 *key, struct element *element)
{
	element->fired += 1 + *key;
	if (element->fired < 3 * (1 + *key))
		bpf_timer_start(&element->timer, 1000000, 0);
	return 0;
}

static __always_inline struct element *made(__u32 key)
{
	struct element fresh = {};

	bpf_map_update_elem(&armed, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&armed, &key);
}

SEC("tc")
int arm(struct __sk_buff *skb)
{
	struct element *element = made(4);

	if (!element)
		return 1;
	note(0, bpf_timer_start(&element->timer, 1000, 0));
	note(1, bpf_timer_cancel(&element->timer));
	note(2, bpf_timer_init(&element->timer, &armed, CLOCK_MONOTONIC));
	note(3, bpf_timer_init(&element->timer, &armed, CLOCK_MONOTONIC));
	note(4, bpf_timer_start(&element->timer, 1000, 0));
	note(5, bpf_timer_set_callback(&element->timer, again));
	note(6, bpf_timer_start(&element->timer, 1000, 1 << 8));
	note(7, bpf_timer_start(&element->timer, 1000000, 0));
	return 0;
}

SEC("tc")
int cancel(struct __sk_buff *skb)
{
	struct element *element = made(5);

	if (!element)
		return 1;
	note(10, bpf_timer_init(&element->timer, &armed, CLOCK_MONOTONIC));
	note(11, bpf_timer_set_callback(&element->timer, again));
	note(12, bpf_timer_cancel(&element->timer));
	note(13, bpf_timer_start(&element->timer, 1000000000, 0));
	note(14, bpf_timer_cancel(&element->timer));
	note(15, bpf_timer_cancel(&element->timer));
	return 0;
}

SEC("tc")
int forget(struct __sk_buff *skb)
{
	struct element *element = made(6);
	__u32 key = 6;

	if (!element)
		return 1;
	note(20, bpf_timer_init(&element->timer, &armed, CLOCK_MONOTONIC));
	note(21, bpf_timer_set_callback(&element->timer, again));
	note(22, bpf_timer_start(&element->timer, 20000000, 0));
	note(23, bpf_map_delete_elem(&armed, &key));
	element = made(6);
	if (!element)
		return 2;
	note(24, bpf_timer_cancel(&element->timer));
	return 0;
}
