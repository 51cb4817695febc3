// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A global function used as a callback.
#include "corpus.h"

__noinline int step_global(__u32 index, void *data) { return index > 3; }
static int step_static(__u32 index, void *data) { return index > 2; }
SEC("socket") int use(struct __sk_buff *skb) { return bpf_loop(2, step_static, 0, 0) + step_global(skb->len, 0); }
