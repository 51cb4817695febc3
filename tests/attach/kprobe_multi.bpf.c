// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 entry_hits, return_hits;

SEC("kprobe.multi/vfs_rea*") int on_entry(struct pt_regs *ctx)
{
	if (mine())
		HIT(entry_hits);
	return 0;
}

SEC("kretprobe.multi/vfs_read") int on_return(struct pt_regs *ctx)
{
	if (mine())
		HIT(return_hits);
	return 0;
}
