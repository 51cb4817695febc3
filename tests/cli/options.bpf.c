// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program for each thing that the options of `espy run` and `espy test-run` are about.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

static void count(void)
{
	__u32 zero = 0;
	__u64 *number = bpf_map_lookup_elem(&runs, &zero);

	if (number)
		__sync_fetch_and_add(number, 1);
}

// Swaps the Ethernet addresses.
SEC("xdp")
int swap_addresses(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int i;

	if (data + 14 > end)
		return XDP_DROP;
	for (i = 0; i < 6; i++) {
		unsigned char byte = data[i];

		data[i] = data[i + 6];
		data[i + 6] = byte;
	}
	return XDP_TX;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	count();
	return XDP_PASS;
}

SEC("?tp/sched/sched_switch")
int disabled(void *ctx)
{
	count();
	return 0;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return 1;
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	return 0;
}

SEC("uprobe")
int in_user_space(void *ctx)
{
	count();
	return 0;
}

SEC("syscall")
int doubles(__u64 *number)
{
	*number *= 2;
	return 3;
}

SEC("raw_tp/sys_enter")
int on_system_call(void *ctx)
{
	count();
	return 0;
}

SEC("freplace/verdict_of")
int replacement(struct xdp_md *ctx)
{
	return XDP_PASS;
}
