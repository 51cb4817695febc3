// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A kernel function at its entry, at its return, and a system call by its name.
#include "hits.h"

COUNTED("kprobe/vfs_read", entry, 0)
COUNTED("kretprobe/vfs_read", at_return, 0)
COUNTED("ksyscall/openat", syscall, 0)
