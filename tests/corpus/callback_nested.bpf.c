// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A callback that calls a callback, and a subprogram that is both called and passed.
#include "corpus.h"

static int inner(__u32 i, void *data) { (*(int *)data)++; return 0; }
static int outer(__u32 i, void *data) { bpf_loop(2, inner, data, 0); return inner(i, data); }
static __noinline int helper(int *n) { bpf_loop(4, outer, n, 0); return *n; }
SEC("socket") int nested(struct __sk_buff *skb) { int n = 0; return helper(&n); }
