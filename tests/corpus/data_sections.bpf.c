// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Globals in every standard section, and static ones.
#include "corpus.h"

int zeroed;
int set = 42;
const volatile int tunable = 7;
static volatile long hidden_counter;
static volatile const char name[] = "espy";
__u64 array[8] = {1, 2, 3};
struct point { int x, y; } origin = {3, 4};
SEC("socket") int read_all(struct __sk_buff *skb) {
  hidden_counter += set++;
  zeroed = tunable + name[skb->len & 3];
  array[skb->len & 7] += origin.y;
  return array[2] + hidden_counter;
}
