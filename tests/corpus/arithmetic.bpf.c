// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Division, byte swaps, sign extension, 32-bit comparisons: what differs from instruction set to instruction set.
#include "corpus.h"

long numbers[8];
signed char small;
short medium;
int word;
SEC("socket") int calculate(struct __sk_buff *skb) {
  unsigned a = skb->len, b = skb->mark | 1;
  numbers[0] = a / b + a % b;
  numbers[1] = __builtin_bswap64(a) + __builtin_bswap32(b) + __builtin_bswap16(a);
  numbers[2] = small + (long)medium + word;
  numbers[3] = (int)a > (int)b ? (long)(int)a : (long)(short)b;
  numbers[4] = (unsigned long)a << (b & 63) >> 3;
  numbers[5] = bpf_htonl(a) ^ bpf_be64_to_cpu(b);
  if (a == 5 || b == 9) return a * b;
  return numbers[2] < 0;
}
