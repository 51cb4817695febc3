// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 perf_hits;

SEC("perf_event") int on_sample(void *ctx)
{
	if (mine())
		HIT(perf_hits);
	return 0;
}
