// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A filter by EtherType, for captures and interfaces: ARP and IPv6 are dropped, 0x88b5 is sent back to its sender.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct seen {
	__u32 bytes, type;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} types SEC(".maps");

struct seen *unused;

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct seen *seen;
	__u64 one = 1, *count;
	__u32 type;
	int i;

	if (data + 14 > end)
		return XDP_ABORTED;
	type = data[12] << 8 | data[13];
	count = bpf_map_lookup_elem(&types, &type);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&types, &type, &one, BPF_ANY);
	seen = bpf_ringbuf_reserve(&packets, sizeof *seen, 0);
	if (seen) {
		seen->bytes = end - data;
		seen->type = type;
		bpf_ringbuf_submit(seen, 0);
	}
	if (type == 0x0806 || type == 0x86dd)
		return XDP_DROP;
	if (type == 0x88b5) {
		for (i = 0; i < 6; i++) {
			unsigned char byte = data[i];

			data[i] = data[6 + i];
			data[6 + i] = byte;
		}
		return XDP_TX;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
