// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program at the entry and the return of many functions of a program.
#include "hits.h"

extern _Bool bpf_session_is_return(void) __ksym;

__u64 hits_entry, hits_return;

SEC("uprobe.session//job/target:target_*") int session(void *ctx)
{
	if (bpf_session_is_return())
		hits_return++;
	else
		hits_entry++;
	return 0;
}
