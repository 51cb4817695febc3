// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The hooks of Unix sockets, since 6.7.
#include "count.h"

#define COUNTED(section, name)                           \
	__u64 name##_hits;                               \
	SEC(section) int name(struct bpf_sock_addr *ctx) \
	{                                                \
		HIT(name##_hits);                        \
		return 1;                                \
	}

COUNTED("cgroup/connect_unix", connect_unix)
COUNTED("cgroup/sendmsg_unix", sendmsg_unix)
COUNTED("cgroup/recvmsg_unix", recvmsg_unix)
COUNTED("cgroup/getpeername_unix", getpeername_unix)
COUNTED("cgroup/getsockname_unix", getsockname_unix)
