// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A tracepoint with its formatted fields, the same raw, and typed.
#include "hits.h"

COUNTED("tp/syscalls/sys_enter_openat", formatted, 0)
COUNTED("raw_tp/sys_enter", raw, 0)
COUNTED("tp_btf/sys_exit", typed, 0)
