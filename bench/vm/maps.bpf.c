// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A thousand operations on a map each, for what one of them costs: see maps_bench.cpp.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define KEYS 1024
#define RB_NO_WAKEUP 1

#define MAP(name, kind)                     \
	struct {                            \
		__uint(type, kind);         \
		__uint(max_entries, KEYS);  \
		__type(key, __u32);         \
		__type(value, __u64);       \
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY);
MAP(hash, BPF_MAP_TYPE_HASH);
MAP(lru, BPF_MAP_TYPE_LRU_HASH);
MAP(moving, BPF_MAP_TYPE_HASH);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

/* A program of a thousand turns; `body` sees the key, and adds to the sum. */
#define WORK(name, body)                                      \
	SEC("xdp")                                            \
	int name(struct xdp_md *ctx)                          \
	{                                                     \
		__u64 sum = 0;                                \
		for (__u32 i = 0; i < KEYS; i++) {            \
			__u32 key = i;                        \
			asm volatile("" : "+r"(key));         \
			body;                                 \
		}                                             \
		return sum & 0x7fffffff;                      \
	}

#define LOOKUP(map)                                           \
	__u64 *value = bpf_map_lookup_elem(&map, &key);       \
	if (value)                                            \
	sum += *value

WORK(do_empty, sum += key)
WORK(do_array, LOOKUP(array))
WORK(do_hash, LOOKUP(hash))
WORK(do_lru, LOOKUP(lru))
WORK(do_update, __u64 value = i; sum += bpf_map_update_elem(&hash, &key, &value, BPF_ANY))
WORK(do_update_delete, __u64 value = i; sum += bpf_map_update_elem(&moving, &key, &value, BPF_ANY);
     sum += bpf_map_delete_elem(&moving, &key))
WORK(do_mixed, if (i % 10 == 0) {
	__u64 value = i;
	sum += bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
} else {
	LOOKUP(hash);
})
WORK(do_ring, __u64 *record = bpf_ringbuf_reserve(&ring, 64, 0); if (record) {
	record[0] = key;
	record[7] = i;
	bpf_ringbuf_submit(record, RB_NO_WAKEUP);
	sum++;
})

char LICENSE[] SEC("license") = "GPL";
