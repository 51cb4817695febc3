// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A bounded loop by may_goto.
#include "corpus.h"

SEC("socket") int loop(struct __sk_buff *skb) {
  int n = 0;
  for (;;) {
    asm goto(".byte 0xe5; .byte 0; .short (%l[out] - . - 4) / 8; .long 0" :::: out);
    n += skb->len;
    barrier_var(n);
  }
out:
  return n;
}
