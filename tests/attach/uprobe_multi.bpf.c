// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 multi_hits, multi_return_hits;

SEC("uprobe.multi") int on_entries(struct pt_regs *ctx)
{
	HIT(multi_hits);
	return 0;
}

SEC("uretprobe.multi") int on_returns(struct pt_regs *ctx)
{
	HIT(multi_return_hits);
	return 0;
}
