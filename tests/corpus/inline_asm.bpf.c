// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Instructions that only the assembler writes: jumps, wide constants, byte swaps.
#include "corpus.h"

SEC("socket") __attribute__((naked)) int by_hand(struct __sk_buff *skb) {
  asm volatile("r6 = *(u32 *)(r1 + 0)\n\t"
               "r0 = 0x1122334455667788 ll\n\t"
               "r0 = be64 r0\n\t"
               "if r6 s> 7 goto big%=\n\t"
               "w0 = -w0\n"
               "big%=: r0 >>= 3\n\t"
               "exit" ::: "r0", "r6");
}
SEC("socket") int legacy_load(struct __sk_buff *skb) {
  int value;
  asm volatile("r6 = %1\n\tr0 = *(u16 *)skb[12]\n\t%0 = r0" : "=r"(value) : "r"(skb) : "r0", "r1", "r2", "r3", "r4", "r5", "r6");
  return value;
}
