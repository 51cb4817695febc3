// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Redirects through maps: what comes of keys that are not there, and of flags.
#include "engine.h"

#define TARGETS(name, kind, bytes)                  \
	struct {                                    \
		__uint(type, kind);                 \
		__uint(max_entries, 4);             \
		__uint(key_size, 4);                \
		__uint(value_size, bytes);          \
	} name SEC(".maps")

TARGETS(devices, BPF_MAP_TYPE_DEVMAP, 4);
TARGETS(more_devices, BPF_MAP_TYPE_DEVMAP_HASH, 8);
TARGETS(cpus, BPF_MAP_TYPE_CPUMAP, 4);
TARGETS(sockets, BPF_MAP_TYPE_XSKMAP, 4);

SEC("xdp")
int missing(struct xdp_md *ctx)
{
	note(0, bpf_redirect_map(&devices, 0, XDP_DROP));
	note(1, bpf_redirect_map(&devices, 0, XDP_TX));
	note(2, bpf_redirect_map(&devices, 9, XDP_PASS));
	note(3, bpf_redirect_map(&more_devices, 7, XDP_PASS));
	note(4, bpf_redirect_map(&cpus, 1, XDP_DROP));
	note(5, bpf_redirect_map(&sockets, 1, XDP_PASS));
	note(6, bpf_redirect_map(&devices, 0, 1 << 10));
	note(7, bpf_redirect_map(&cpus, 0, BPF_F_BROADCAST));
	note(8, bpf_redirect_map(&sockets, 0, BPF_F_EXCLUDE_INGRESS));
	note(9, bpf_redirect_map(&devices, 0, BPF_F_EXCLUDE_INGRESS | XDP_PASS));
	return XDP_PASS;
}

SEC("xdp")
int looked_up(struct xdp_md *ctx)
{
	__u32 key = 0;

	note(10, bpf_map_lookup_elem(&devices, &key) != 0);
	note(11, bpf_map_lookup_elem(&more_devices, &key) != 0);
	key = 99;
	note(13, bpf_map_lookup_elem(&devices, &key) != 0);
	return XDP_PASS;
}
