// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 fentry_hits, fexit_hits, fmod_ret_hits;
long fexit_value;

SEC("fentry/vfs_read") int BPF_PROG(on_fentry, void *file, char *buffer, unsigned long count)
{
	if (mine())
		HIT(fentry_hits);
	return 0;
}

SEC("fexit/vfs_read") int BPF_PROG(on_fexit, void *file, char *buffer, unsigned long count, void *pos, long result)
{
	if (mine()) {
		HIT(fexit_hits);
		fexit_value = result;
	}
	return 0;
}

SEC("fmod_ret/security_file_open") int BPF_PROG(on_fmod_ret, void *file, int result)
{
	if (mine())
		HIT(fmod_ret_hits);
	return 0;
}
