// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A congestion control written as struct_ops, and one with an unused function.
#include "corpus.h"

struct sock { int unused; } PAI;
struct tcp_congestion_ops {
  unsigned int flags;
  void (*init)(struct sock *sk);
  __u32 (*ssthresh)(struct sock *sk);
  void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
  __u32 (*undo_cwnd)(struct sock *sk);
  char name[16];
};
SEC("struct_ops/init") void BPF_PROG(cc_init, struct sock *sk) {}
SEC("struct_ops/ssthresh") __u32 BPF_PROG(cc_ssthresh, struct sock *sk) { return 2; }
SEC("struct_ops/cong_avoid") void BPF_PROG(cc_avoid, struct sock *sk, __u32 ack, __u32 acked) {}
SEC("struct_ops/undo_cwnd") __u32 BPF_PROG(cc_undo, struct sock *sk) { return 9; }
SEC(".struct_ops") struct tcp_congestion_ops espy_cc = {
    .init = (void *)cc_init, .ssthresh = (void *)cc_ssthresh, .cong_avoid = (void *)cc_avoid, .undo_cwnd = (void *)cc_undo, .name = "espy_cc"};
