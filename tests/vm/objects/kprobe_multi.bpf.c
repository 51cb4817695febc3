// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Many kernel functions with one link.
#include "hits.h"

COUNTED("kprobe.multi/vfs_re*", entry, 0)
COUNTED("kretprobe.multi/vfs_re*", at_return, 0)
