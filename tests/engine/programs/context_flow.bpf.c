// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Contexts that travel: through subprograms, stack slots, structs on the stack, callbacks.
#include "engine.h"

struct bag {
	__u64 count;
	struct __sk_buff *skb;
	__u32 seen;
};

static __attribute__((noinline)) __u32 length(struct __sk_buff *skb, __u32 more)
{
	return skb->len + more;
}

static __attribute__((noinline)) __u32 through(__u32 more, struct __sk_buff *skb)
{
	return length(skb, more) + skb->protocol;
}

static __attribute__((noinline)) int from_bag(struct bag *bag)
{
	return bag->skb->len + bag->count;
}

static long each(__u32 i, void *context)
{
	struct bag *bag = context;

	bag->seen += bag->skb->len + i;
	return i == 6;
}

static long each_value(struct bpf_map *map, __u32 *key, __u64 *value, struct bag *bag)
{
	bag->seen += bag->skb->len;
	return *key == 9;
}

SEC("tc")
int travels(struct __sk_buff *skb)
{
	struct bag bag = {.count = 3, .skb = skb};

	note(0, through(5, skb));
	note(1, from_bag(&bag));
	note(2, bpf_loop(10, each, &bag, 0));
	note(3, bag.seen);
	note(4, bpf_for_each_map_elem(&results, each_value, &bag, 0));
	note(5, bag.seen);
	return skb->len;
}

__attribute__((noinline)) int global(struct __sk_buff *skb)
{
	return skb->len + skb->mark;
}

SEC("tc")
int calls_global(struct __sk_buff *skb)
{
	skb->mark = 7;
	return global(skb);
}

SEC("tc")
int on_both_paths(struct __sk_buff *skb)
{
	struct __sk_buff *volatile spilled = skb;
	__u32 sum = 0;

	if (skb->len & 1) {
		sum += spilled->len;
		asm volatile("" : : : "memory");
		spilled = skb;
	} else {
		sum += spilled->protocol;
		asm volatile("" : "+r"(sum));
	}
	return sum + spilled->ifindex;
}
