// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// XDP: the context's fields, and the helpers that move a packet's bounds, at their limits.
#include "engine.h"

static __always_inline void note_bounds(struct xdp_md *ctx, __u32 at)
{
	note(at, ctx->data_end - ctx->data);
	note(at + 1, ctx->data - ctx->data_meta);
}

SEC("xdp")
int fields(struct xdp_md *ctx)
{
	note_bounds(ctx, 0);
	note(2, ctx->ingress_ifindex);
	note(3, ctx->rx_queue_index);
	note(4, bpf_xdp_get_buff_len(ctx));
	return XDP_PASS;
}

SEC("xdp")
int grow_head(struct xdp_md *ctx)
{
	unsigned char *data;

	note(10, bpf_xdp_adjust_head(ctx, -20));
	note_bounds(ctx, 11);
	data = (void *)(long)ctx->data;
	if (data + 20 > (unsigned char *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memset(data, 0x5a, 20);
	return XDP_TX;
}

SEC("xdp")
int shrink_head(struct xdp_md *ctx)
{
	note(20, bpf_xdp_adjust_head(ctx, 8));
	note_bounds(ctx, 21);
	note(23, bpf_xdp_adjust_head(ctx, 1000));
	note(24, bpf_xdp_adjust_head(ctx, -4000));
	return XDP_PASS;
}

SEC("xdp")
int head_limits(struct xdp_md *ctx)
{
	// As far as the headroom goes, and a byte too far.
	note(30, bpf_xdp_adjust_head(ctx, -217));
	note(31, bpf_xdp_adjust_head(ctx, -216));
	note_bounds(ctx, 32);
	note(34, bpf_xdp_adjust_head(ctx, 216));
	note(35, bpf_xdp_adjust_head(ctx, 64 - 14));
	note(36, bpf_xdp_adjust_head(ctx, 1));
	note_bounds(ctx, 37);
	return XDP_PASS;
}

SEC("xdp")
int tail(struct xdp_md *ctx)
{
	note(40, bpf_xdp_adjust_tail(ctx, 100));
	note_bounds(ctx, 41);
	note(43, bpf_xdp_adjust_tail(ctx, -120));
	note_bounds(ctx, 44);
	note(46, bpf_xdp_adjust_tail(ctx, -100));
	note(47, bpf_xdp_adjust_tail(ctx, 10000));
	note(48, bpf_xdp_adjust_tail(ctx, 3520 - 44));
	note(49, bpf_xdp_adjust_tail(ctx, 1));
	note(50, bpf_xdp_adjust_tail(ctx, 30 - 3520));
	return XDP_PASS;
}

SEC("xdp")
int metadata(struct xdp_md *ctx)
{
	__u32 *meta;

	note(60, bpf_xdp_adjust_meta(ctx, -8));
	note_bounds(ctx, 61);
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 2) > (void *)(long)ctx->data)
		return XDP_DROP;
	meta[0] = 0x11223344;
	meta[1] = 0x55667788;
	note(63, bpf_xdp_adjust_head(ctx, -4));
	note_bounds(ctx, 64);
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 2) > (void *)(long)ctx->data)
		return XDP_DROP;
	note(66, meta[0]);
	note(67, meta[1]);
	note(68, bpf_xdp_adjust_meta(ctx, 3));
	note(69, bpf_xdp_adjust_meta(ctx, 12));
	note(70, bpf_xdp_adjust_meta(ctx, -256));
	note(71, bpf_xdp_adjust_meta(ctx, 8));
	note_bounds(ctx, 72);
	return XDP_PASS;
}

SEC("xdp")
int load_store(struct xdp_md *ctx)
{
	__u64 value = 0;

	note(80, bpf_xdp_load_bytes(ctx, 4, &value, 8));
	note(81, value);
	value = ~value;
	note(82, bpf_xdp_store_bytes(ctx, 20, &value, 8));
	note(83, bpf_xdp_load_bytes(ctx, 60, &value, 8));
	note(84, bpf_xdp_store_bytes(ctx, 57, &value, 8));
	note(85, bpf_xdp_load_bytes(ctx, 0x10000, &value, 8));
	return XDP_PASS;
}

SEC("xdp")
int redirected(struct xdp_md *ctx)
{
	note(90, bpf_redirect(1, 0));
	return bpf_redirect(1, 5);
}
