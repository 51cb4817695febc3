// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

#define EPERM 1
__u64 lsm_hits;
bool deny;

SEC("lsm/file_open") int BPF_PROG(on_file_open, void *file)
{
	if (!mine())
		return 0;
	HIT(lsm_hits);
	if (deny) {
		barrier(); /* a branch, not arithmetic: the verifier must see both numbers */
		return -EPERM;
	}
	return 0;
}
