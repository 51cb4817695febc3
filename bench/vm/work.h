// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Small pieces of work, the same C for eBPF and for this processor. Each reads `input`, and gives a number that depends on all
// that it did.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct work_data {
	u8 input[2048];
	u8 output[2048];
	u64 counter;
	u64 limit;   // 400
};
extern struct work_data work_data;

#define input work_data.input
#define output work_data.output
#define counter work_data.counter

#define INLINE static inline __attribute__((always_inline))
#define NO_UNROLL _Pragma("clang loop unroll(disable) vectorize(disable)")

INLINE u64 work_empty(void) { return 0; }

// Primes by trial division.
INLINE u64 work_primes(void)
{
	u32 n, d, found = 0;
	u32 most = work_data.limit;

	NO_UNROLL for (n = 2; n < 400; n++) {
		u32 prime = 1;

		if (n >= most)
			break;
		NO_UNROLL for (d = 2; d * d <= n; d++) {
			if (n % d == 0) {
				prime = 0;
				break;
			}
		}
		found += prime;
	}
	return found;
}

INLINE u32 log2_of(u64 v)
{
	u32 r, shift;

	r = (v > 0xffffffff) << 5;
	v >>= r;
	shift = (v > 0xffff) << 4;
	v >>= shift;
	r |= shift;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	r |= shift;
	r |= (v >> 1);
	return r;
}

INLINE u64 work_log2(void)
{
	u64 sum = 0;
	u32 i;

	NO_UNROLL for (i = 0; i < 128; i++)
		sum += log2_of(((u64 *)input)[i]);
	return sum;
}

// The checksum of IP headers, over 1500 bytes.
INLINE u64 work_checksum(void)
{
	u32 sum = 0, i;

	NO_UNROLL for (i = 0; i < 750; i++)
		sum += ((u16 *)input)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

INLINE u64 work_memcpy(void)
{
	u32 i;

	NO_UNROLL for (i = 0; i < 1024 / 8; i++)
		((volatile u64 *)output)[i] = ((u64 *)input)[i];
	return output[7];
}

INLINE u64 work_fnv(void)
{
	u64 hash = 0xcbf29ce484222325ull;
	u32 i;

	NO_UNROLL for (i = 0; i < 512; i++) {
		hash ^= input[i];
		hash *= 0x100000001b3ull;
	}
	return hash;
}

INLINE u16 swapped16(u16 v) { return __builtin_bswap16(v); }

// Ethernet, IPv4, UDP or TCP: a number for the flow.
INLINE u64 parse(const u8 *data, const u8 *end)
{
	u32 header, protocol;
	u64 flow;

	if (data + 14 + 20 + 8 > end)
		return 1;
	if (swapped16(*(u16 *)(data + 12)) != 0x0800)
		return 2;
	header = (data[14] & 15) * 4;
	if (header != 20)
		return 3;
	protocol = data[14 + 9];
	flow = __builtin_bswap32(*(u32 *)(data + 14 + 12));
	flow = flow * 31 + __builtin_bswap32(*(u32 *)(data + 14 + 16));
	flow = flow * 31 + protocol;
	if (protocol == 17 || protocol == 6) {
		flow = flow * 31 + swapped16(*(u16 *)(data + 34));
		flow = flow * 31 + swapped16(*(u16 *)(data + 36));
	}
	return flow;
}

// The same packet many times: one is over sooner than clocks tell.
INLINE u64 work_parse(const u8 *data, const u8 *end)
{
	u64 flows = 0;
	u32 i;

	NO_UNROLL for (i = 0; i < 64; i++) {
		flows = flows * 3 + parse(data, end);
		asm volatile("" ::: "memory");
	}
	return flows;
}

// A machine with eight instructions.
INLINE u64 work_switch(void)
{
	u64 a = 1, b = 2;
	u32 i;

	NO_UNROLL for (i = 0; i < 512; i++) {
		switch (input[i] & 7) {
		case 0: a += b; break;
		case 1: a -= b; break;
		case 2: a ^= b; break;
		case 3: b += i; break;
		case 4: b = a; break;
		case 5: a <<= 1; break;
		case 6: b |= 5; break;
		default: a = ~a; break;
		}
	}
	return a + b;
}

INLINE u64 work_histogram(void)
{
	u32 bins[64] = {};
	u32 i;
	u64 sum = 0;

	NO_UNROLL for (i = 0; i < 512; i++)
		bins[input[i] & 63]++;
	NO_UNROLL for (i = 0; i < 64; i++)
		sum = sum * 31 + bins[i];
	return sum;
}

static __attribute__((noinline)) u64 called(u64 a, u64 b) { return (a ^ b) + (a << 3); }

INLINE u64 work_calls(void)
{
	u64 sum = input[0];
	u32 i;

	NO_UNROLL for (i = 0; i < 200; i++)
		sum = called(sum, i);
	return sum;
}

INLINE u64 work_atomics(void)
{
	u32 i;

	NO_UNROLL for (i = 0; i < 200; i++)
		__sync_fetch_and_add(&counter, i);
	return 0;
}

#define ALL_WORK(X) X(empty) X(primes) X(log2) X(checksum) X(memcpy) X(fnv) X(switch) X(histogram) X(calls) X(atomics)
