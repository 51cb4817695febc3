/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One of each thing that is rendered in a way of its own. Read by clang for eBPF, for the types, and by the test, for the
 * bytes: both lay structs out alike. */
#pragma once

#include <linux/types.h>

#ifdef __bpf__
#define TAG(text) __attribute__((btf_decl_tag(text)))
#define TYPE_TAG(text) __attribute__((btf_type_tag(text)))
typedef _Bool bool_t;
#else
#pragma GCC system_header  /* 128-bit integers, anonymous structs and flexible arrays are C, not ISO C++ */
#define TAG(text)
#define TYPE_TAG(text)
typedef bool bool_t;
#endif

enum verdict { VERDICT_PASS, VERDICT_DROP = 5, VERDICT_UNKNOWN = -1 };
enum flags { FLAG_READ = 1, FLAG_WRITE = 2, FLAG_EXEC = 4 };

struct scalars {
	__u8 u8;
	__s8 s8;
	__u16 u16;
	__s32 s32;
	__u64 u64;
	__s64 s64;
	char letter;
	bool_t yes;
	float f;
	double d;
	void *pointer;
	__int128 wide;
};

struct names {
	enum verdict verdict;
	enum flags flags;
	char comm[16];
	__u8 filename[8];
	char *volatile where;
};

struct bits {
	__u32 low : 3;
	__s32 negative : 5;
	__u32 : 4;
	__u32 high : 20;
	__u64 wide : 40;
	enum verdict verdict : 8;
};

struct in_addr_like {
	__be32 s_addr;
};

struct network {
	__u32 saddr;
	__be32 daddr;
	__u8 src_ip[16];
	__u32 remote_addr[4];
	unsigned char dst_mac[6];
	__be16 dport;
	__u16 lport;
	__be32 sequence;
	struct in_addr_like via;
};

struct times {
	__u64 ts_ns;
	__u64 delta_ns;
	__u32 latency_us;
	__u64 tagged TAG("duration_ms");
	__u32 plain_ip TAG("ipv4");
	__u64 pointed TAG("kernel_symbol");
};

struct point {
	__s32 x, y;
};

struct nested {
	__u32 id;
	struct point from, to;
	struct {
		__u16 inner_a;
		union {
			__u16 inner_b;
			__u8 inner_c[2];
		};
	};
	union {
		__u32 number;
		char text[4];
	} either;
	__u32 grid[2][3];
	struct point path[2];
};

struct flexible {
	__u32 length;
	char name[];
};

struct flexible_numbers {
	__u32 count;
	__u32 values[];
};

struct event {
	__u64 ts_ns;
	__u32 pid;
	char comm[16];
	enum verdict verdict;
	struct point at;
};

struct flow_key {
	__u32 saddr;
	__be16 dport;
	__u8 protocol;
	__u8 pad;
};

struct flow_value {
	__u64 packets, bytes;
	char comm[16];
	__u64 last_ts;
	__s32 level;
	__u32 share : 12;
	__u32 rest : 20;
};

struct hist {
	__u32 slots[8];
	char comm[16];
};

typedef __u64 counter_t;
typedef __u64 buckets_t[16];
