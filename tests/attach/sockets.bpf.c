// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 filter_hits, reuseport_hits;

SEC("socket") int on_filter(struct __sk_buff *skb)
{
	HIT(filter_hits);
	return 0;
}

SEC("sk_reuseport") int on_choice(struct sk_reuseport_md *ctx)
{
	HIT(reuseport_hits);
	return SK_PASS;
}
