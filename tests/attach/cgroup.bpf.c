// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program for each kind of cgroup hook; each counts and allows.
#include "count.h"

#define COUNTED(section, name, context) \
	__u64 name##_hits;              \
	SEC(section) int name(context *ctx) \
	{                               \
		HIT(name##_hits);       \
		return 1;               \
	}

COUNTED("cgroup_skb/ingress", skb_ingress, struct __sk_buff)
COUNTED("cgroup_skb/egress", skb_egress, struct __sk_buff)
COUNTED("cgroup/sock_create", sock_create, struct bpf_sock)
COUNTED("cgroup/sock_release", sock_release, struct bpf_sock)
COUNTED("cgroup/post_bind4", post_bind4, struct bpf_sock)
COUNTED("cgroup/post_bind6", post_bind6, struct bpf_sock)
COUNTED("cgroup/bind4", bind4, struct bpf_sock_addr)
COUNTED("cgroup/bind6", bind6, struct bpf_sock_addr)
COUNTED("cgroup/connect4", connect4, struct bpf_sock_addr)
COUNTED("cgroup/connect6", connect6, struct bpf_sock_addr)
COUNTED("cgroup/sendmsg4", sendmsg4, struct bpf_sock_addr)
COUNTED("cgroup/sendmsg6", sendmsg6, struct bpf_sock_addr)
COUNTED("cgroup/recvmsg4", recvmsg4, struct bpf_sock_addr)
COUNTED("cgroup/recvmsg6", recvmsg6, struct bpf_sock_addr)
COUNTED("cgroup/getpeername4", getpeername4, struct bpf_sock_addr)
COUNTED("cgroup/getpeername6", getpeername6, struct bpf_sock_addr)
COUNTED("cgroup/getsockname4", getsockname4, struct bpf_sock_addr)
COUNTED("cgroup/getsockname6", getsockname6, struct bpf_sock_addr)
COUNTED("cgroup/dev", device, struct bpf_cgroup_dev_ctx)
COUNTED("cgroup/sysctl", sysctl, struct bpf_sysctl)
COUNTED("sockops", sock_ops, struct bpf_sock_ops)

__u64 getsockopt_hits, setsockopt_hits;
SEC("cgroup/getsockopt") int getsockopt(struct bpf_sockopt *ctx)
{
	HIT(getsockopt_hits);
	ctx->optlen = 0; /* the buffer as the kernel filled it */
	return 1;
}
SEC("cgroup/setsockopt") int setsockopt(struct bpf_sockopt *ctx)
{
	HIT(setsockopt_hits);
	ctx->optlen = 0;
	return 1;
}
