// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Custom data sections and a pointer-sized alignment gap.
#include "corpus.h"

int a SEC(".data.first") = 1;
char b SEC(".data.first") = 2;
__u64 c SEC(".data.first") = 3;
int d SEC(".bss.second");
const volatile int e SEC(".rodata.third") = 9;
static volatile int f SEC(".data.fourth") = 6;
SEC("socket") int mix(struct __sk_buff *skb) { d += a + b + c + e + f; b = d; return d; }
