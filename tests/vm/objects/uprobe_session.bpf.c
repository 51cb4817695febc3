// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program at the entry and the return of many functions of a program.
#include "hits.h"

// The kernel's function took no argument before 7.0.
extern _Bool bpf_session_is_return___before_7_0(void) __ksym __weak;
extern _Bool bpf_session_is_return(void *ctx) __ksym __weak;

__u64 hits_entry, hits_return;

SEC("uprobe.session//job/target:target_*") int session(void *ctx)
{
	_Bool is_return = 0;

	if (bpf_session_is_return)
		is_return = bpf_session_is_return(ctx);
	else if (bpf_session_is_return___before_7_0)
		is_return = bpf_session_is_return___before_7_0();
	if (is_return)
		hits_return++;
	else
		hits_entry++;
	return 0;
}
