// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Atomic instructions that return what was there.
#include "corpus.h"

__u64 wide;
__u32 narrow;
SEC("socket") int atomic(struct __sk_buff *skb) {
  __u64 a = __sync_fetch_and_add(&wide, 3);
  a += __sync_fetch_and_or(&wide, 8);
  a ^= __sync_lock_test_and_set(&wide, a);
  a += __sync_val_compare_and_swap(&wide, 5, 6);
  __sync_fetch_and_and(&narrow, 0xff);
  return a + __sync_fetch_and_xor(&narrow, 7);
}
