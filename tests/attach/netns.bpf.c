// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 lookup_hits, dissect_hits;

SEC("sk_lookup") int on_lookup(struct bpf_sk_lookup *ctx)
{
	HIT(lookup_hits);
	return SK_PASS;
}

SEC("flow_dissector") int on_dissect(struct __sk_buff *skb)
{
	HIT(dissect_hits);
	return BPF_OK;
}
