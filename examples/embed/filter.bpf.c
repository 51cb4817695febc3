// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the examples of this folder run: a filter that drops UDP to some ports, asks its host for a verdict on others, and counts.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/// Given by the program that embeds us: may this port be reached? (1: yes)
extern long allows_port(long port) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u16);
	__type(value, __u64);
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 verdict = XDP_PASS, number = 0;
	__u64 *count;
	__u16 port;

	if (data + 42 > end)   // Ethernet, IPv4 without options, UDP
		return XDP_ABORTED;
	if (*(__u16 *)(data + 12) == bpf_htons(0x0800) && *(__u8 *)(data + 23) == 17) {
		port = bpf_ntohs(*(__u16 *)(data + 36));
		count = bpf_map_lookup_elem(&blocked, &port);
		if (count)
			__sync_fetch_and_add(count, 1);
		if (count || !allows_port(port))
			verdict = XDP_DROP;
	}
	number = verdict == XDP_DROP;
	count = bpf_map_lookup_elem(&verdicts, &number);
	if (count)
		__sync_fetch_and_add(count, 1);
	return verdict;
}
