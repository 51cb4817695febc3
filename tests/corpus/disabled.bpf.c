// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs that are not loaded unless asked for.
#include "corpus.h"

SEC("?socket") int off(struct __sk_buff *skb) { return 1; }
SEC("socket") int on(struct __sk_buff *skb) { return 2; }
SEC("?raw_tp/sys_enter") int off_too(void *ctx) { return 0; }
