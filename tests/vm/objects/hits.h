// What every object of this folder shares: a count per program, which its test expects to have grown.
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

// A program may run on several CPUs at once; a lost increment does not matter, a missing one would.
#define COUNTED(section, name, verdict)  \
	__u64 hits_##name;               \
	SEC(section) int name(void *ctx) \
	{                                \
		hits_##name++;           \
		return verdict;          \
	}
