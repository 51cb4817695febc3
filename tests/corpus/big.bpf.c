// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A program of some thousand instructions with a subprogram behind it.
#include "corpus.h"

static __noinline int mix(int x) { return x * 31 + bpf_get_prandom_u32(); }
SEC("socket") int unrolled(struct __sk_buff *skb) {
  int sum = skb->len;
#pragma unroll
  for (int i = 0; i < 100; i++) {
    sum = sum * 33 + mix(sum ^ i);
    sum ^= skb->mark + i * 7919;
  }
  return sum;
}
