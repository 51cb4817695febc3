// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A TCP congestion control that leaves the window alone, registered the old way and as a link.
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

SEC(".struct_ops") struct tcp_congestion_ops plain = {
	.init = (void *)on_init,
	.ssthresh = (void *)on_ssthresh,
	.cong_avoid = (void *)on_cong_avoid,
	.undo_cwnd = (void *)on_undo_cwnd,
	.name = "espy_plain",
};
SEC(".struct_ops.link") struct tcp_congestion_ops linked = {
	.init = (void *)on_init,
	.ssthresh = (void *)on_ssthresh,
	.cong_avoid = (void *)on_cong_avoid,
	.undo_cwnd = (void *)on_undo_cwnd,
	.name = "espy_linked",
};
