// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the programs of this folder share: each leaves what it saw in `results`, number by number.
#pragma once
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define RESULTS 256

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RESULTS);
	__type(key, __u32);
	__type(value, __u64);
} results SEC(".maps");

static __always_inline void note(__u32 number, __u64 value)
{
	bpf_map_update_elem(&results, &number, &value, BPF_ANY);
}
