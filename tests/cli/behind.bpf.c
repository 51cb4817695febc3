// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads behind a packet whose EtherType is 0xffff, which no verifier lets through.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int reads_behind(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 14 > end)
		return XDP_ABORTED;
	if (data[12] == 0xff && data[13] == 0xff)
		return *(volatile unsigned char *)(end + 4);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
