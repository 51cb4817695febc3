// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The order in which subprograms are joined: depth first, at first mention.
#include "corpus.h"

static __noinline int d(int x) { return x + bpf_get_prandom_u32(); }
static __noinline int c(int x) { return d(x) * 2 + bpf_get_prandom_u32(); }
static __noinline int b(int x) { return bpf_get_prandom_u32() - c(x); }
static __noinline int a(int x) { return b(x) + d(x) + c(x); }
static __noinline int z(int x) { return a(x) ^ b(x); }
SEC("socket") int starts_at_z(struct __sk_buff *skb) { return z(skb->len) + d(1); }
SEC("socket") int starts_at_d(struct __sk_buff *skb) { return d(skb->len) + c(2) + z(1); }
SEC("socket") int starts_at_c(struct __sk_buff *skb) { return c(skb->len); }
