// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A security hook that says no: a program named `denied` may open no file.
#include "hits.h"

#define EPERM 1

__u64 hits_allowed, hits_denied;

SEC("lsm/file_open") int BPF_PROG(deny, void *file)
{
	char name[16];

	bpf_get_current_comm(name, sizeof(name));
	if (name[0] == 'd' && name[1] == 'e' && name[2] == 'n' && name[3] == 'i' && name[4] == 'e' && name[5] == 'd') {
		int verdict = -EPERM;

		hits_denied++;
		// Kept out of a branchless expression, whose range older verifiers cannot tell.
		asm volatile("" : "+r"(verdict));
		return verdict;
	}
	hits_allowed++;
	return 0;
}
