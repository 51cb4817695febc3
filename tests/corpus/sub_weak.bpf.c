// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Weak and hidden functions become static for the verifier or not; both are appended.
#include "corpus.h"

__weak __noinline int weak_one(int a) { volatile int x = a; return x + 7; }
__hidden __noinline int hidden_one(int a) { volatile int x = a; return x - weak_one(a); }
SEC("socket") int uses_both(struct __sk_buff *skb) { return weak_one(skb->len) + hidden_one(skb->mark); }
