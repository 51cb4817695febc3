// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program of each networking type.
#include "corpus.h"

SEC("socket") int on_socket(struct __sk_buff *skb) { return skb->len; }
SEC("xdp") int on_xdp(struct xdp_md *ctx) { return ctx->data_end - ctx->data > 64 ? XDP_PASS : XDP_DROP; }
SEC("xdp.frags") int on_xdp_frags(struct xdp_md *ctx) { return XDP_PASS; }
SEC("tc") int on_tc(struct __sk_buff *skb) { return skb->mark ? 0 : 2; }
SEC("classifier") int on_classifier(struct __sk_buff *skb) { return -1; }
SEC("action") int on_action(struct __sk_buff *skb) { return 0; }
SEC("lwt_in") int on_lwt_in(struct __sk_buff *skb) { return 0; }
SEC("lwt_out") int on_lwt_out(struct __sk_buff *skb) { return 0; }
SEC("lwt_xmit") int on_lwt_xmit(struct __sk_buff *skb) { return 0; }
SEC("lwt_seg6local") int on_seg6(struct __sk_buff *skb) { return 0; }
SEC("sockops") int on_sockops(struct bpf_sock_ops *ops) { return ops->op == BPF_SOCK_OPS_TCP_CONNECT_CB; }
SEC("sk_skb/stream_parser") int on_parser(struct __sk_buff *skb) { return skb->len; }
SEC("sk_skb/stream_verdict") int on_verdict(struct __sk_buff *skb) { return SK_PASS; }
SEC("sk_skb") int on_sk_skb(struct __sk_buff *skb) { return SK_PASS; }
SEC("sk_msg") int on_sk_msg(struct sk_msg_md *msg) { return SK_PASS; }
SEC("sk_lookup") int on_lookup(struct bpf_sk_lookup *ctx) { return SK_PASS; }
SEC("sk_reuseport") int on_reuseport(struct sk_reuseport_md *ctx) { return SK_PASS; }
SEC("flow_dissector") int on_dissector(struct __sk_buff *skb) { return BPF_OK; }
