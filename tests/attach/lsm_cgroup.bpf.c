// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

__u64 lsm_cgroup_hits;

SEC("lsm_cgroup/socket_bind") int BPF_PROG(on_socket_bind, void *sock, void *address, int length)
{
	HIT(lsm_cgroup_hits);
	return 1;
}
