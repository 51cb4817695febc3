// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Static subprograms, nested, shared by programs, called more than once.
#include "corpus.h"

static __noinline int leaf(int x) { return x * bpf_get_prandom_u32(); }
static __noinline int middle(int x) { return leaf(x) + leaf(x + 1); }
static __noinline int unused_by_first(int x) { return leaf(x) - 3; }
SEC("xdp") int first(struct xdp_md *ctx) { return middle(ctx->data) + leaf(4); }
SEC("tc") int second(struct __sk_buff *skb) { return unused_by_first(skb->len) + middle(skb->mark); }
SEC("socket") int third(struct __sk_buff *skb) { return leaf(skb->len); }
SEC("xdp") int fourth(struct xdp_md *ctx) { return XDP_PASS; }
