// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A prog array filled by its definition; static tail calls written in assembly.
#include "corpus.h"

SEC("socket") int target(struct __sk_buff *skb);
SEC("socket") int other(struct __sk_buff *skb) { return 2; }
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __array(values, int(void *)); } jumps SEC(".maps") = {.values = {[1] = (void *)&other, [3] = (void *)&target}};
SEC("socket") int target(struct __sk_buff *skb) { return 1; }
SEC("socket") int jump(struct __sk_buff *skb) {
  bpf_tail_call(skb, &jumps, skb->len & 3);
  bpf_tail_call_static(skb, &jumps, 3);
  return 0;
}
