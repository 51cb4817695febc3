// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Every cgroup section.
#include "corpus.h"

SEC("cgroup_skb/ingress") int ingress(struct __sk_buff *skb) { return 1; }
SEC("cgroup_skb/egress") int egress(struct __sk_buff *skb) { return skb->len < 1500; }
SEC("cgroup/skb") int any_skb(struct __sk_buff *skb) { return 1; }
SEC("cgroup/sock_create") int sock_create(struct bpf_sock *sk) { return sk->family != 10; }
SEC("cgroup/sock_release") int sock_release(struct bpf_sock *sk) { return 1; }
SEC("cgroup/sock") int sock(struct bpf_sock *sk) { return 1; }
SEC("cgroup/post_bind4") int post_bind4(struct bpf_sock *sk) { return 1; }
SEC("cgroup/post_bind6") int post_bind6(struct bpf_sock *sk) { return 1; }
SEC("cgroup/bind4") int bind4(struct bpf_sock_addr *ctx) { return ctx->user_port != bpf_htons(80); }
SEC("cgroup/bind6") int bind6(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *ctx) { ctx->user_ip4 = bpf_htonl(0x7f000001); return 1; }
SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/sendmsg4") int sendmsg4(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/sendmsg6") int sendmsg6(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/recvmsg4") int recvmsg4(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/recvmsg6") int recvmsg6(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/getpeername4") int getpeername4(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/getsockname6") int getsockname6(struct bpf_sock_addr *ctx) { return 1; }
SEC("cgroup/sysctl") int sysctl(struct bpf_sysctl *ctx) { return !ctx->write; }
SEC("cgroup/getsockopt") int getsockopt(struct bpf_sockopt *ctx) { return 1; }
SEC("cgroup/setsockopt") int setsockopt(struct bpf_sockopt *ctx) { return 1; }
SEC("cgroup/dev") int dev(struct bpf_cgroup_dev_ctx *ctx) { return ctx->major == 1; }
