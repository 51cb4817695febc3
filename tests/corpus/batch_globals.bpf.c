// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Arrays of structs, pointers to globals kept in registers, and an offset folded into the address.
#include "corpus.h"

struct entry { __u64 key; char name[12]; __u32 hits; };
struct entry entries[16] = {{1, "one", 0}, {2, "two", 0}};
static struct entry *volatile current;
__u64 total SEC(".data");
SEC("socket") int scan(struct __sk_buff *skb) {
  __u32 i = skb->len & 15;
  entries[i].hits++;
  entries[3].hits += entries[i].key;
  total += entries[7].name[i & 7] + entries[15].hits;
  return entries[9].name[3];
}
