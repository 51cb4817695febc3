// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Attach cookies and the address of what was probed.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u64); __type(value, __u64); __uint(max_entries, 64); } by_cookie SEC(".maps");
static __always_inline int note(void *ctx) { __u64 cookie = bpf_get_attach_cookie(ctx), one = 1; return bpf_map_update_elem(&by_cookie, &cookie, &one, 0); }
SEC("kprobe/vfs_write") int by_kprobe(struct pt_regs *ctx) { return note(ctx); }
SEC("uprobe/libc.so.6:malloc") int by_uprobe(struct pt_regs *ctx) { return note(ctx); }
SEC("uretprobe/libc.so.6:malloc+0x4") int by_return(struct pt_regs *ctx) { return note(ctx) + PT_REGS_IP(ctx); }
SEC("perf_event") int by_event(void *ctx) { return note(ctx); }
