// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Locks in values, ring buffers that fill up, keyless maps, values of other CPUs.
#include "engine.h"

struct locked {
	__u32 before;
	struct bpf_spin_lock lock;
	__u64 count;
};

#define LOCKED(name, kind)                          \
	struct {                                    \
		__uint(type, kind);                 \
		__uint(max_entries, 4);             \
		__type(key, __u32);                 \
		__type(value, struct locked);       \
	} name SEC(".maps")

LOCKED(locked_hash, BPF_MAP_TYPE_HASH);
LOCKED(locked_array, BPF_MAP_TYPE_ARRAY);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void locked(void *map, __u32 at)
{
	struct locked value = {.before = 1, .count = 2};
	struct locked *found;
	__u32 key = 3;

	note(at, bpf_map_update_elem(map, &key, &value, BPF_F_LOCK));
	value.count = 20;
	note(at + 1, bpf_map_update_elem(map, &key, &value, BPF_F_LOCK | BPF_EXIST));
	note(at + 2, bpf_map_update_elem(map, &key, &value, BPF_F_LOCK | BPF_NOEXIST));
	found = bpf_map_lookup_elem(map, &key);
	if (!found)
		return;
	bpf_spin_lock(&found->lock);
	found->count += 5;
	bpf_spin_unlock(&found->lock);
	note(at + 3, found->count);
	value.before = 9;
	note(at + 4, bpf_map_update_elem(map, &key, &value, BPF_ANY));
	found = bpf_map_lookup_elem(map, &key);
	if (!found)
		return;
	note(at + 5, found->before);
	note(at + 6, found->count);
	key = 77;
	note(at + 7, bpf_map_update_elem(map, &key, &value, BPF_EXIST));
	note(at + 8, bpf_map_delete_elem(map, &key));
}

SEC("tc")
int locks(struct __sk_buff *skb)
{
	locked(&locked_hash, 0);
	locked(&locked_array, 20);
	return 0;
}

SEC("tc")
int full_ring(struct __sk_buff *skb)
{
	__u64 data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	__u64 written = 0;
	void *record;
	int i;

	note(40, bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE));
	record = bpf_ringbuf_reserve(&ring, 4096, 0);
	note(41, record != 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	note(42, bpf_ringbuf_output(&ring, data, 0, 0));
	note(43, bpf_ringbuf_output(&ring, data, 8, 8));
	for (i = 0; i < 100; i++)
		if (bpf_ringbuf_output(&ring, data, 64, BPF_RB_NO_WAKEUP) == 0)
			written++;
	note(44, written);
	note(45, bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA));
	note(46, bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	note(47, bpf_ringbuf_query(&ring, BPF_RB_CONS_POS));
	note(48, bpf_ringbuf_query(&ring, 9));
	record = bpf_ringbuf_reserve(&ring, 16, 0);
	note(49, record != 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	return 0;
}

SEC("tc")
int cpus(struct __sk_buff *skb)
{
	__u32 key = 5;
	__u64 value = 1, *found;

	note(60, bpf_map_update_elem(&counters, &key, &value, BPF_EXIST));
	note(61, bpf_map_update_elem(&counters, &key, &value, BPF_ANY));
	note(62, bpf_map_update_elem(&counters, &key, &value, BPF_NOEXIST));
	note(63, bpf_map_update_elem(&counters, &key, &value, 3));
	found = bpf_map_lookup_percpu_elem(&counters, &key, 1000);
	note(64, found != 0);
	found = bpf_map_lookup_elem(&counters, &key);
	if (found)
		note(65, *found);
	key = 6;
	found = bpf_map_lookup_percpu_elem(&counters, &key, 0);
	note(66, found != 0);
	return 0;
}
