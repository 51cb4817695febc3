// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 xdp_hits;

__attribute__((noinline)) int verdict_of(struct xdp_md *ctx)
{
	volatile int verdict = XDP_PASS;
	return ctx ? verdict : XDP_ABORTED;
}

SEC("xdp") int on_xdp(struct xdp_md *ctx)
{
	HIT(xdp_hits);
	return verdict_of(ctx);
}

SEC("xdp/devmap") int of_devmap(struct xdp_md *ctx) { return XDP_PASS; }
