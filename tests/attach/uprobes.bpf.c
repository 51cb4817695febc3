// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 uprobe_hits, uretprobe_hits, cookie_seen;
long argument, returned;

SEC("uprobe") int on_entry(struct pt_regs *ctx)
{
	HIT(uprobe_hits);
	argument = PT_REGS_PARM1(ctx);
	return 0;
}

SEC("uprobe") int with_cookie(struct pt_regs *ctx)
{
	cookie_seen = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("uretprobe") int on_return(struct pt_regs *ctx)
{
	HIT(uretprobe_hits);
	returned = PT_REGS_RC(ctx);
	return 0;
}
