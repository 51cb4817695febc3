// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Arithmetic, subprograms, loops, atomics, ring buffers, text.
#include "engine.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __attribute__((noinline)) __u64 depth(__u64 n) { return n * 3 + 1; }
static __attribute__((noinline)) __u64 deeper(__u64 n) { return depth(n) ^ depth(n + 1); }
static __attribute__((noinline)) __u64 deepest(__u64 n)
{
	volatile __u64 here[20];
	int i;

	for (i = 0; i < 20; i++)
		here[i] = n + i;
	return deeper(here[7]) + here[19];
}

SEC("xdp")
int arithmetic(struct xdp_md *ctx)
{
	volatile __u64 zero = 0, big = 0x8000000000000000ull, odd = 0x123456789abcdef1ull;
	volatile __u32 word = 0x80000001;
	volatile __s32 minus = -7;

	note(0, odd / zero);
	note(1, odd % zero);
	note(2, word / (__u32)zero);
	note(3, word % (__u32)zero);
	note(4, odd >> 13);
	note(5, (__s64)odd >> 60);
	note(6, (__s64)big >> 63);
	note(7, (__s32)word >> 3);
	note(8, odd * 0x10001);
	note(9, (__u64)minus);
	note(10, (__u32)minus);
	note(11, __builtin_bswap64(odd));
	note(12, __builtin_bswap32(word));
	note(13, __builtin_bswap16((__u16)odd));
	note(14, odd << (word & 63));
	note(15, -odd);
	note(16, (__s64)minus < (__s64)zero);
	note(17, (__u64)minus < zero + 1);
	return word;
}

SEC("xdp")
int subprograms(struct xdp_md *ctx)
{
	note(20, deepest(5));
	note(21, deepest(ctx->ingress_ifindex));
	return deeper(9);
}

static long add_turn(__u32 i, __u64 *sum)
{
	*sum += i;
	return *sum > 1000;
}

SEC("xdp")
int loops(struct xdp_md *ctx)
{
	__u64 sum = 0;

	note(30, bpf_loop(20, add_turn, &sum, 0));
	note(31, sum);
	note(32, bpf_loop(2000, add_turn, &sum, 0));
	note(33, sum);
	note(34, bpf_loop(10, add_turn, &sum, 1));
	note(35, bpf_loop(1 << 24, add_turn, &sum, 0));
	note(36, bpf_loop(0, add_turn, &sum, 0));
	return 0;
}

SEC("xdp")
int atomics(struct xdp_md *ctx)
{
	__u32 zero = 40;
	__u64 *at = bpf_map_lookup_elem(&results, &zero);
	__u64 expected = 5;

	if (!at)
		return 1;
	*at = 5;
	note(41, __sync_fetch_and_add(at, 10));
	note(42, __sync_fetch_and_or(at, 0x100));
	note(43, __sync_fetch_and_and(at, ~1ull));
	note(44, __sync_fetch_and_xor(at, 0xff));
	note(45, __sync_lock_test_and_set(at, 77));
	note(46, __sync_val_compare_and_swap(at, 77, 78));
	note(47, __sync_val_compare_and_swap(at, 77, 79));
	note(48, __sync_fetch_and_add((__u32 *)at, 0xffffffff));
	note(49, *at);
	note(50, expected);
	return 0;
}

SEC("xdp")
int rings(struct xdp_md *ctx)
{
	__u64 value = 7;
	__u64 *record;

	note(60, bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE));
	note(61, bpf_ringbuf_output(&ring, &value, 8, 0));
	record = bpf_ringbuf_reserve(&ring, 24, 0);
	note(62, record != 0);
	if (record) {
		record[0] = record[1] = record[2] = 3;
		bpf_ringbuf_submit(record, 0);
	}
	record = bpf_ringbuf_reserve(&ring, 100, 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	note(63, bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	note(64, bpf_ringbuf_query(&ring, BPF_RB_CONS_POS));
	record = bpf_ringbuf_reserve(&ring, 5000, 0);
	note(65, record != 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	note(66, bpf_ringbuf_query(&ring, 99));
	return 0;
}

SEC("xdp")
int text(struct xdp_md *ctx)
{
	static const char format[] = "%d %u %x %llx %s|%5d|%-5d|%05d %c %% %lld";
	static const char addresses[] = "%pI4 %pi4";
	__u64 values[] = {(__u64)-5, (__u64)-5, 0xabcdef, 0x123456789abcull, (__u64)(long)"text", 42, 42, 42, 'x', (__u64)-9};
	__u32 address = 0x0100007f;
	__u64 two[] = {(__u64)(long)&address, (__u64)(long)&address};
	char out[100] = {};
	long number = 0;
	unsigned long positive = 0;
	__u32 i;

	note(70, bpf_snprintf(out, sizeof(out), format, values, sizeof(values)));
	for (i = 0; i < 12; i++)
		note(71 + i, ((__u64 *)out)[i]);
	__builtin_memset(out, 0, sizeof(out));
	note(84, bpf_snprintf(out, sizeof(out), addresses, two, sizeof(two)));
	for (i = 0; i < 4; i++)
		note(85 + i, ((__u64 *)out)[i]);
	note(90, bpf_snprintf(out, 4, format, values, sizeof(values)));
	note(91, out[2] | out[3] << 8);
	note(100, bpf_strtol("-123x", 5, 10, &number));
	note(101, number);
	note(102, bpf_strtol("0x1f ", 5, 0, &number));
	note(103, number);
	note(104, bpf_strtol("  077", 5, 0, &number));
	note(105, number);
	note(106, bpf_strtol("zz", 2, 0, &number));
	note(107, bpf_strtol("1", 1, 7, &number));
	note(108, bpf_strtoul("99999999999999999999", 20, 10, &positive));
	note(109, bpf_strtoul("-1", 2, 10, &positive));
	note(110, bpf_strtoul("18446744073709551615", 20, 10, &positive));
	note(111, positive);
	note(112, bpf_strtol("9223372036854775808", 19, 10, &number));
	note(113, bpf_strtol("-9223372036854775808", 20, 10, &number));
	note(114, number);
	note(115, bpf_strncmp("abc", 3, "abd") < 0);
	note(116, bpf_strncmp("abc", 3, "abc"));
	return 0;
}
