// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"
#include <linux/pkt_cls.h>

__u64 tc_hits, action_hits;

SEC("tc") int on_tc(struct __sk_buff *skb)
{
	HIT(tc_hits);
	return TC_ACT_OK;
}

SEC("action") int on_action(struct __sk_buff *skb)
{
	HIT(action_hits);
	return TC_ACT_OK;
}
