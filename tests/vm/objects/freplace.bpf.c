// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A function of another program (xdp_target.bpf.c, which runs meanwhile) replaced.
#include "hits.h"

__u64 hits_replaced;

SEC("freplace/verdict_of") int replacement(struct xdp_md *ctx)
{
	hits_replaced++;
	return XDP_PASS;
}
