// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Hooks of a cgroup: packets, sockets, addresses, options, sysctls.
#include "hits.h"

COUNTED("cgroup_skb/ingress", ingress, 1)
COUNTED("cgroup_skb/egress", egress, 1)
COUNTED("cgroup/sock_create", create, 1)
COUNTED("cgroup/connect4", connect4, 1)
COUNTED("cgroup/sysctl", sysctl, 1)
COUNTED("sockops", events, 1)
