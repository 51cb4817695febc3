// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 msg_hits, parser_hits, verdict_hits;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

SEC("sk_msg") int on_msg(struct sk_msg_md *ctx)
{
	HIT(msg_hits);
	return SK_PASS;
}

SEC("sk_skb/stream_parser") int on_parser(struct __sk_buff *skb)
{
	HIT(parser_hits);
	return skb->len;
}

SEC("sk_skb/stream_verdict") int on_verdict(struct __sk_buff *skb)
{
	HIT(verdict_hits);
	return SK_PASS;
}
