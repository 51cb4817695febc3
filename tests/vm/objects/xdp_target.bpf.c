// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program one of whose functions freplace.bpf.c replaces.
#include "hits.h"

__attribute__((noinline)) int verdict_of(struct xdp_md *ctx)
{
	volatile int verdict = XDP_PASS;

	return verdict;
}

SEC("xdp") int target(struct xdp_md *ctx) { return verdict_of(ctx); }
