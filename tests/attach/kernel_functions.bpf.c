// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 kprobe_hits, kretprobe_hits, ksyscall_hits, kretsyscall_hits, cookie_seen;
long kretsyscall_value;

SEC("kprobe/vfs_read") int on_kprobe(struct pt_regs *ctx)
{
	if (mine())
		HIT(kprobe_hits);
	return 0;
}

SEC("kprobe/vfs_read") int with_cookie(struct pt_regs *ctx)
{
	if (mine())
		cookie_seen = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("kretprobe/vfs_read") int on_kretprobe(struct pt_regs *ctx)
{
	if (mine())
		HIT(kretprobe_hits);
	return 0;
}

SEC("ksyscall/getpgid") int on_ksyscall(struct pt_regs *ctx)
{
	if (mine())
		HIT(ksyscall_hits);
	return 0;
}

SEC("kretsyscall/getpgid") int on_kretsyscall(struct pt_regs *ctx)
{
	if (mine()) {
		HIT(kretsyscall_hits);
		kretsyscall_value = PT_REGS_RC(ctx);
	}
	return 0;
}
