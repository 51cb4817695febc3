// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// String constants in .rodata.str sections and on the stack.
#include "corpus.h"

char out[64];
const char *const words[] = {"zero", "one", "two"};
SEC("socket") int copy(struct __sk_buff *skb) {
  static const char text[] = "a constant text of some length";
  bpf_probe_read_kernel_str(out, sizeof out, text);
  bpf_trace_printk("hello %d\n", 9, skb->len);
  return bpf_strncmp(out, 4, "espy");
}
