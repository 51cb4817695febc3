// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 replaced_hits;

SEC("freplace/verdict_of") int replacement(struct xdp_md *ctx)
{
	HIT(replaced_hits);
	return XDP_PASS;
}
