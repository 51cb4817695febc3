// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A TCP congestion control that leaves the window alone; struct_ops_link.bpf.c has it registered as a link.
#include "count.h"

struct sock;
struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*init)(struct sock *sk);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
} __attribute__((preserve_access_index));

__u64 init_hits;

SEC("struct_ops/init") void BPF_PROG(on_init, struct sock *sk)
{
	HIT(init_hits);
}
SEC("struct_ops/ssthresh") __u32 BPF_PROG(on_ssthresh, struct sock *sk) { return 10; }
SEC("struct_ops/cong_avoid") void BPF_PROG(on_cong_avoid, struct sock *sk, __u32 ack, __u32 acked) {}
SEC("struct_ops/undo_cwnd") __u32 BPF_PROG(on_undo_cwnd, struct sock *sk) { return 10; }

#ifndef OPS_SECTION
#define OPS_SECTION ".struct_ops"
#define OPS_NAME "espy_plain"
#endif

SEC(OPS_SECTION) struct tcp_congestion_ops ops = {
	.init = (void *)on_init,
	.ssthresh = (void *)on_ssthresh,
	.cong_avoid = (void *)on_cong_avoid,
	.undo_cwnd = (void *)on_undo_cwnd,
	.name = OPS_NAME,
};
