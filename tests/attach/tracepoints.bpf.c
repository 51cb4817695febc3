// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

#define NR_getpgid 121

__u64 tracepoint_hits, raw_hits, btf_hits, cookie_seen;

SEC("tp/syscalls/sys_enter_getpgid") int on_tracepoint(void *ctx)
{
	if (mine())
		HIT(tracepoint_hits);
	return 0;
}

SEC("tp/syscalls/sys_enter_getpgid") int with_cookie(void *ctx)
{
	if (mine())
		cookie_seen = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("raw_tp/sys_enter") int on_raw(struct bpf_raw_tracepoint_args *ctx)
{
	if (mine() && ctx->args[1] == NR_getpgid)
		HIT(raw_hits);
	return 0;
}

SEC("tp_btf/sys_enter") int BPF_PROG(on_btf, void *regs, long id)
{
	if (mine() && id == NR_getpgid)
		HIT(btf_hits);
	return 0;
}
