// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Maps, data and functions all mentioned in one instruction stream, many times.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); __uint(max_entries, 1); } m SEC(".maps");
int n[4];
static __noinline int use(int i) { bpf_map_delete_elem(&m, &n[i & 3]); return n[1]++; }
SEC("socket") int s1(struct __sk_buff *skb) { return use(skb->len) + n[2] + (bpf_map_lookup_elem(&m, &n[3]) != 0) + use(2); }
SEC("socket") int s2(struct __sk_buff *skb) { n[0] = n[3]; return use(0) + use(1); }
