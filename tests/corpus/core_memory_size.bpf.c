// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: loads that may not follow a size change.
#include "corpus.h"

struct widths { int s_grows; unsigned int u_grows; void *pointer; short array[2]; } PAI;
__u64 out[4];
SEC("tp_btf/sys_enter") int BPF_PROG(unsigned_grows, struct widths *w) { out[0] = w->u_grows; return 0; }
SEC("tp_btf/sys_enter") int BPF_PROG(signed_grows, struct widths *w) { out[1] = w->s_grows; return 0; }
SEC("tp_btf/sys_enter") int BPF_PROG(pointer_stays, struct widths *w) { out[2] = (__u64)w->pointer; return 0; }
