// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The same map named by several programs and subprograms, and one that is only a template.
#include "corpus.h"

struct template { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u32); __uint(max_entries, 2); };
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __type(key, __u32); __uint(max_entries, 4); __array(values, struct template); } outer SEC(".maps");
struct template lone SEC(".maps");
static __noinline __u32 find(__u32 key) { __u32 *v = bpf_map_lookup_elem(&lone, &key); return v ? *v : 0; }
SEC("tc") int t1(struct __sk_buff *skb) { return find(skb->mark); }
SEC("xdp") int x1(struct xdp_md *ctx) { __u32 key = 3; return bpf_map_lookup_elem(&outer, &key) ? find(1) : find(2); }
