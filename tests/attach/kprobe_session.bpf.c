// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 session_hits;

SEC("kprobe.session/vfs_read") int on_both(struct pt_regs *ctx)
{
	if (mine())
		HIT(session_hits);
	return 0;
}
