// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A big constant table and a switch.
#include "corpus.h"

static const __u32 squares[64] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225, 256, 289, 324, 361};
SEC("socket") int table(struct __sk_buff *skb) { return squares[skb->len & 63]; }
SEC("socket") int lookup(struct __sk_buff *skb) {
  switch (skb->protocol) {
    case 0: return 17;
    case 1: return 4711;
    case 2: return -4;
    case 3: return 99;
    case 4: return 12;
    case 5: return 31337;
    case 6: return 8;
    default: return 1;
  }
}
