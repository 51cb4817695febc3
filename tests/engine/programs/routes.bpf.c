// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Where packets to some addresses would be forwarded to: see routes_test.cpp, which makes the routes.
#include "engine.h"

static __always_inline void ask(struct __sk_buff *skb, __u32 at, __u32 address, __u32 flags)
{
	struct bpf_fib_lookup lookup = {.family = 2, .ifindex = 1, .ipv4_src = 0};
	__u64 mac = 0;

	lookup.ipv4_dst = __builtin_bswap32(address);
	lookup.tot_len = 100;
	note(at, bpf_fib_lookup(skb, &lookup, sizeof lookup, flags));
	note(at + 1, lookup.ifindex);
	note(at + 2, lookup.ipv4_dst);
	note(at + 3, lookup.rt_metric);
	__builtin_memcpy(&mac, lookup.dmac, 6);
	note(at + 4, mac);
	note(at + 5, lookup.smac[0] != 0 || lookup.smac[5] != 0);
}

SEC("tc")
int routes(struct __sk_buff *skb)
{
	struct bpf_fib_lookup lookup = {.family = 77, .ifindex = 1};

	ask(skb, 0, 0x0a010002, 0);    /* a neighbour */
	ask(skb, 10, 0x0a010009, 0);   /* one that nobody knows */
	ask(skb, 20, 0x0a020304, 0);   /* behind a gateway */
	ask(skb, 30, 0x0a030001, 0);   /* blackhole */
	ask(skb, 40, 0x0a040001, 0);   /* unreachable */
	ask(skb, 50, 0x0a050001, 0);   /* prohibited */
	ask(skb, 60, 0x0a090909, 0);   /* no route */
	ask(skb, 70, 0x7f000001, 0);   /* this host */
	ask(skb, 80, 0x0a010009, BPF_FIB_LOOKUP_SKIP_NEIGH);
	ask(skb, 90, 0x0a020304, 1 << 12);
	note(100, bpf_fib_lookup(skb, &lookup, sizeof lookup, 0));
	lookup.family = 2;
	lookup.ifindex = 9999;
	note(101, bpf_fib_lookup(skb, &lookup, sizeof lookup, 0));
	note(102, bpf_fib_lookup(skb, &lookup, 8, 0));
	return 0;
}
