// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A map of records for each way to say what they are.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define RING(name) struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } name SEC(".maps")

struct by_value { __u64 number; char tag[8]; };
struct by_tag { __u64 number; __u32 verdict; };
struct by_line { __u64 number; __u64 words[4]; };
struct by_line_twin { __u64 number; __u64 others[4]; };     // as large: only the source tells
struct by_pointer { __u64 number; __u64 words[6]; };
struct by_pointer_twin { __u64 number; __u64 others[6]; };
struct by_size { __u64 number; __u64 words[9]; };
struct short_one { __u64 number; __u64 words[11]; };
struct long_one { __u64 number; __u64 words[12]; };
struct not_in_btf { __u64 number; __u64 words[5]; };
struct of_that_size { __u64 number; __u64 other[5]; };
struct perf_event_record { __u64 number; char comm[16]; };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct by_value);
} value_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} tag_ring SEC(".maps") __attribute__((btf_decl_tag("record:struct by_tag")));

struct by_type_tag { __u64 number; __u64 words[13]; };
RING(type_tag_ring);
struct by_type_tag __attribute__((btf_type_tag("record:type_tag_ring"))) *type_tag_ring_holds;

RING(line_ring);
RING(pointer_ring);
RING(size_ring);
RING(two_ring);
RING(unknown_ring);
RING(lost_type_ring);

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct by_tag);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 8);
} untyped SEC(".maps");

const struct by_pointer *unused_pointer __attribute__((unused));
// Types that only functions use are not in BTF: each is kept by a pointer, of which only the first says so.
struct by_line_twin *keep_line_twin;
struct by_pointer_twin *keep_pointer_twin;
struct by_size *keep_size;
struct by_line *keep_line;
struct short_one *keep_short;
struct long_one *keep_long;
struct perf_event_record *keep_perf;
struct by_tag *keep_tag;
struct of_that_size *keep_of_that_size;

__u64 two_ring_dropped;
__u64 dropped;
__u32 runs;

SEC("raw_tp/sys_enter")
int write_all(struct bpf_raw_tracepoint_args *ctx)
{
	struct by_value *value = bpf_ringbuf_reserve(&value_ring, sizeof(*value), 0);
	if (value) {
		value->number = 1;
		__builtin_memcpy(value->tag, "tagged!", 8);
		bpf_ringbuf_submit(value, 0);
	}
	struct by_tag tag = {.number = 2, .verdict = 7};
	bpf_ringbuf_output(&tag_ring, &tag, sizeof(tag), 0);

	struct by_line *line = bpf_ringbuf_reserve(&line_ring, sizeof(struct by_line), 0);
	if (line) {
		line->number = 3;
		bpf_ringbuf_submit(line, 0);
	}
	__u64 *raw = bpf_ringbuf_reserve(&pointer_ring, 56, 0);
	if (raw) {
		raw[0] = 4;
		bpf_ringbuf_submit(raw, 0);
	}
	raw = bpf_ringbuf_reserve(&size_ring, 80, 0);
	if (raw) {
		raw[0] = 5;
		bpf_ringbuf_submit(raw, 0);
	}
	struct perf_event_record record = {.number = 6, .comm = "perf"};
	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record));

	__u32 key = 5;
	bpf_map_update_elem(&totals, &key, &tag, BPF_ANY);
	runs++;
	return 0;
}

SEC("raw_tp/sys_enter")
int write_two(struct bpf_raw_tracepoint_args *ctx)
{
	struct short_one *small = bpf_ringbuf_reserve(&two_ring, sizeof(struct short_one), 0);
	if (small) {
		small->number = 7;
		bpf_ringbuf_submit(small, 0);
	} else {
		__sync_fetch_and_add(&two_ring_dropped, 1);
	}
	struct long_one *large = bpf_ringbuf_reserve(&two_ring, sizeof(struct long_one), 0);
	if (large) {
		large->number = 8;
		bpf_ringbuf_submit(large, 0);
	} else {
		__sync_fetch_and_add(&two_ring_dropped, 1);
	}
	struct not_in_btf *gone = bpf_ringbuf_reserve(&lost_type_ring, sizeof(struct not_in_btf), 0);
	if (gone)
		bpf_ringbuf_discard(gone, 0);
	char bytes[3] = {1, 2, 3};
	bpf_ringbuf_output(&unknown_ring, bytes, sizeof(bytes), 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int print_line(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_printk("line %d of %s", 42, "text");
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
