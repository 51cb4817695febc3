// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A constant that a loader of its own is to fill in: nothing declares it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("socket")
int uses_constant(void *ctx)
{
	int value;

	asm volatile("%0 = MY_CONST ll" : "=r"(value));
	return value;
}

SEC("socket")
int uses_nothing(void *ctx)
{
	return 7;
}
