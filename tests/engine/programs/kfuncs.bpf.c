// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel functions: open-coded iterators, exceptions, strings, sections; loops by may_goto.
#include "engine.h"

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern void bpf_throw(__u64 cookie) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern int bpf_no_such_function(int) __ksym __weak;

SEC("xdp")
int iterators(struct xdp_md *ctx)
{
	struct bpf_iter_num it, inner;
	__u64 sum = 0;
	int *at;

	note(0, bpf_iter_num_new(&it, 3, 20));
	while ((at = bpf_iter_num_next(&it))) {
		sum = sum * 7 + *at;
		if (*at == 15)
			break;
	}
	bpf_iter_num_destroy(&it);
	note(1, sum);
	note(2, bpf_iter_num_new(&it, 5, 3));
	note(3, bpf_iter_num_next(&it) == 0);
	bpf_iter_num_destroy(&it);
	note(4, bpf_iter_num_new(&it, -5, 1 << 30));
	note(5, bpf_iter_num_next(&it) == 0);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_new(&it, -3, 3);
	while ((at = bpf_iter_num_next(&it))) {
		int *second;

		bpf_iter_num_new(&inner, 0, 4);
		while ((second = bpf_iter_num_next(&inner)))
			sum += *at * *second;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&it);
	note(6, sum);
	return sum;
}

static __attribute__((noinline)) int throws(__u64 number)
{
	note(10, number);
	if (number > 4)
		bpf_throw(number * 10);
	return number;
}

SEC("tc")
int thrown(struct __sk_buff *skb)
{
	note(11, throws(2));
	throws(7);
	note(12, 1);
	return 3;
}

static __attribute__((noinline)) int deep(struct __sk_buff *skb)
{
	note(13, skb->len);
	throws(skb->len);
	return 0;
}

SEC("tc")
int thrown_deep(struct __sk_buff *skb)
{
	deep(skb);
	note(14, 1);
	return 3;
}

SEC("tc")
int sections(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	note(30, 1);
	bpf_preempt_enable();
	if (bpf_no_such_function)
		note(31, bpf_no_such_function(1));
	return 0;
}

SEC("xdp")
int bounded(struct xdp_md *ctx)
{
	__u64 turns = 0;

	for (;;) {
		asm volatile goto("may_goto %l[out]" :::: out);
		turns++;
		if (turns == 1000)
			break;
	}
out:
	note(40, turns);
	return 0;
}
