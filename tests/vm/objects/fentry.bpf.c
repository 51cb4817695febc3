// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A kernel function entered and left, without a trap.
#include "hits.h"

COUNTED("fentry/vfs_read", entry, 0)
COUNTED("fexit/vfs_read", at_return, 0)
