// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

#define NF_ACCEPT 1
__u64 netfilter_hits;

SEC("netfilter") int on_packet(void *ctx)
{
	HIT(netfilter_hits);
	return NF_ACCEPT;
}
