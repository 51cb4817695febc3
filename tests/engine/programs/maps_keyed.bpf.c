// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Maps with keys: every flag on every kind, and what comes back.
#include "engine.h"

#define MAP(name, kind, entries, key_type, value_type, ...)      \
	struct {                                                      \
		__uint(type, BPF_MAP_TYPE_##kind);                        \
		__uint(max_entries, entries);                             \
		__type(key, key_type);                                    \
		__type(value, value_type);                                \
		__VA_ARGS__                                               \
	} name SEC(".maps")

MAP(hash, HASH, 4, __u32, __u64);
MAP(loose_hash, HASH, 4, __u32, __u64, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(array, ARRAY, 4, __u32, __u64);
MAP(percpu_hash, PERCPU_HASH, 4, __u32, __u64);
MAP(percpu_array, PERCPU_ARRAY, 4, __u32, __u64);
MAP(lru, LRU_HASH, 64, __u32, __u64);
MAP(odd, HASH, 8, char[7], char[13]);

struct prefix {
	__u32 bits;
	__u8 address[4];
};
MAP(trie, LPM_TRIE, 3, struct prefix, __u32, __uint(map_flags, BPF_F_NO_PREALLOC););

static __always_inline void use(void *map, __u32 at)
{
	__u32 key = 1, other = 9;
	__u64 value = 100, *found;

	note(at, (long)bpf_map_lookup_elem(map, &other));
	note(at + 1, bpf_map_update_elem(map, &key, &value, BPF_EXIST));
	note(at + 2, bpf_map_update_elem(map, &key, &value, BPF_NOEXIST));
	value = 200;
	note(at + 3, bpf_map_update_elem(map, &key, &value, BPF_NOEXIST));
	note(at + 4, bpf_map_update_elem(map, &key, &value, BPF_EXIST));
	found = bpf_map_lookup_elem(map, &key);
	note(at + 5, found ? *found : 1);
	if (found)
		*found += 11;
	note(at + 6, bpf_map_update_elem(map, &key, &value, 3));
	note(at + 7, bpf_map_delete_elem(map, &other));
	note(at + 8, bpf_map_update_elem(map, &other, &value, BPF_ANY));
	note(at + 9, bpf_map_delete_elem(map, &other));
	note(at + 10, bpf_map_update_elem(map, &other, &value, BPF_EXIST));
}

static __always_inline void put(void *map, __u32 key, __u32 at)
{
	__u64 value = 3;

	note(at, bpf_map_update_elem(map, &key, &value, BPF_ANY));
}

static __always_inline void fill(void *map, __u32 at)
{
	put(map, 10, at);
	put(map, 11, at + 1);
	put(map, 12, at + 2);
	put(map, 13, at + 3);
	put(map, 14, at + 4);
	put(map, 15, at + 5);
}

SEC("xdp")
int hashes(struct xdp_md *ctx)
{
	use(&hash, 0);
	use(&loose_hash, 20);
	use(&percpu_hash, 40);
	use(&lru, 60);
	return 0;
}

SEC("xdp")
int arrays(struct xdp_md *ctx)
{
	use(&array, 80);
	use(&percpu_array, 100);
	return 0;
}

SEC("xdp")
int full(struct xdp_md *ctx)
{
	fill(&hash, 120);
	fill(&loose_hash, 130);
	fill(&percpu_hash, 140);
	fill(&lru, 150);
	return 0;
}

SEC("xdp")
int odd_sizes(struct xdp_md *ctx)
{
	char key[7] = "abcdef", value[13] = "a dozen text";
	char *found;

	note(160, bpf_map_update_elem(&odd, key, value, 0));
	key[6] = 1;
	note(161, (long)bpf_map_lookup_elem(&odd, key));
	key[6] = 0;
	found = bpf_map_lookup_elem(&odd, key);
	note(162, found ? found[11] : 0);
	return 0;
}

static __always_inline __u32 best(__u8 a, __u8 b, __u8 c)
{
	struct prefix key = {.bits = 32, .address = {a, b, c, 1}};
	__u32 *found = bpf_map_lookup_elem(&trie, &key);

	return found ? *found : 0;
}

SEC("xdp")
int tries(struct xdp_md *ctx)
{
	struct prefix wide = {.bits = 8, .address = {10}}, narrow = {.bits = 24, .address = {10, 1, 2}}, long_key = {.bits = 33};
	struct prefix another = {.bits = 16, .address = {192, 168}}, fourth = {.bits = 1};
	__u32 value = 1;

	note(170, bpf_map_update_elem(&trie, &wide, &value, BPF_NOEXIST));
	value = 2;
	note(171, bpf_map_update_elem(&trie, &narrow, &value, BPF_EXIST));
	note(172, bpf_map_update_elem(&trie, &narrow, &value, BPF_ANY));
	note(173, bpf_map_update_elem(&trie, &narrow, &value, BPF_NOEXIST));
	note(174, bpf_map_update_elem(&trie, &long_key, &value, BPF_ANY));
	note(175, best(10, 1, 2));
	note(176, best(10, 1, 3));
	note(177, best(11, 1, 3));
	value = 3;
	note(178, bpf_map_update_elem(&trie, &another, &value, BPF_ANY));
	note(179, bpf_map_update_elem(&trie, &fourth, &value, BPF_ANY));
	note(180, bpf_map_delete_elem(&trie, &narrow));
	note(181, bpf_map_delete_elem(&trie, &narrow));
	note(182, best(10, 1, 2));
	note(183, bpf_map_update_elem(&trie, &wide, &value, 4));
	note(184, bpf_map_delete_elem(&trie, &long_key));
	return 0;
}

static long count(struct bpf_map *map, __u32 *key, __u64 *value, __u64 *sum)
{
	*sum += *key + *value;
	return 0;
}

static long delete_all(struct bpf_map *map, __u32 *key, __u64 *value, void *context)
{
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("xdp")
int each(struct xdp_md *ctx)
{
	__u64 sum = 0;

	note(190, bpf_for_each_map_elem(&hash, count, &sum, 0));
	note(191, sum);
	note(192, bpf_for_each_map_elem(&array, count, &sum, 0));
	note(193, sum);
	note(194, bpf_for_each_map_elem(&hash, count, &sum, 1));
	note(195, bpf_for_each_map_elem(&percpu_hash, count, &sum, 0));
	note(196, sum);
	note(197, bpf_for_each_map_elem(&hash, delete_all, &sum, 0));
	return 0;
}
