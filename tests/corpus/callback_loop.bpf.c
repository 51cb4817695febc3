// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// bpf_loop: a subprogram's address in a 64-bit load.
#include "corpus.h"

struct state { int sum; };
static int step(__u32 index, void *data) { struct state *s = data; s->sum += index; return s->sum > 100; }
SEC("xdp") int loop(struct xdp_md *ctx) { struct state s = {}; bpf_loop(16, step, &s, 0); return s.sum; }
SEC("tc") int loop_twice(struct __sk_buff *skb) {
  struct state s = {};
  bpf_loop(skb->len, step, &s, 0);
  bpf_loop(3, step, &s, 0);
  return s.sum;
}
