// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One half of a statically linked object: a static function and data with the names that the other half uses too.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); __uint(max_entries, 8); } shared SEC(".maps");
int total = 3;
static volatile int own = 1;
extern int from_second(int x);
extern const volatile int limit;

static __noinline int step(int x) { return x * 3 + own + bpf_get_prandom_u32(); }
__weak __noinline int overridden(int x) { volatile int y = x; return y + 1; }
__noinline int from_first(int x) { volatile int y = x; return step(y) + total; }

SEC("socket") int first(struct __sk_buff *skb) { return step(skb->len) + from_second(skb->mark) + overridden(2) + limit; }
SEC("tc") int first_again(struct __sk_buff *skb) { int key = 1; bpf_map_delete_elem(&shared, &key); return step(1); }
