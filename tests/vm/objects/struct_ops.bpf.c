// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A TCP congestion control of our own: the window it is asked for is the one it gives.
#include "hits.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sock;
struct tcp_congestion_ops {
	void (*init)(struct sock *sk);
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};
#pragma clang attribute pop

__u64 hits_init;

SEC("struct_ops/espy_init") void BPF_PROG(espy_init, struct sock *sk) { hits_init++; }
SEC("struct_ops/espy_ssthresh") __u32 BPF_PROG(espy_ssthresh, struct sock *sk) { return 10; }
SEC("struct_ops/espy_cong_avoid") void BPF_PROG(espy_cong_avoid, struct sock *sk, __u32 ack, __u32 acked) {}
SEC("struct_ops/espy_undo_cwnd") __u32 BPF_PROG(espy_undo_cwnd, struct sock *sk) { return 10; }

SEC(".struct_ops")
struct tcp_congestion_ops espy_vm = {
	.init = (void *)espy_init,
	.ssthresh = (void *)espy_ssthresh,
	.cong_avoid = (void *)espy_cong_avoid,
	.undo_cwnd = (void *)espy_undo_cwnd,
	.name = "espy_vm",
};
