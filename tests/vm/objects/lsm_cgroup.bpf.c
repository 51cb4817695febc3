// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A security hook of the processes of a cgroup: one allows the operation.
#include "hits.h"

COUNTED("lsm_cgroup/socket_post_create", hook, 1)
