// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Many lines and files in one program; lines of functions that nobody calls.
#include "corpus.h"

static __noinline int unused_helper(int x) {
  x += 3;
  x *= bpf_get_prandom_u32();
  return x;
}
static __noinline int used(int x) {
  if (x > 5)
    x -= 7;
  else
    x += bpf_get_prandom_u32();
  return x;
}
int (*volatile keep)(int) = 0;
SEC("socket") int lines(struct __sk_buff *skb) {
  int a = skb->len;
  a = used(a);
  a += used(a * 2);
  bpf_printk("a %d", a);
  return a;
}
SEC("tc") int keeps_other(struct __sk_buff *skb) { return unused_helper(skb->len); }
