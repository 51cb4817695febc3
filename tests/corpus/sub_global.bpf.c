// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Global subprograms, verified on their own; one is used twice, one by a program that comes first.
#include "corpus.h"

struct pair { int a, b; };
__noinline int add(int a, int b) { volatile int x = a; return x + b; }
__noinline int twice(int a) { volatile int x = a; return add(x, x); }
__noinline int by_pointer(struct pair *p) { return p ? add(p->a, p->b) : 0; }
__noinline int never_called(int a) { volatile int x = a; return x ^ 5; }
SEC("tc") int backwards(struct __sk_buff *skb) { return twice(skb->len) + add(1, skb->mark); }
SEC("tc") int pointers(struct __sk_buff *skb) { struct pair p = {skb->len, 2}; return by_pointer(&p) + twice(3); }
