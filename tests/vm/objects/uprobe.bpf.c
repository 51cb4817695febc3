// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Functions of a program: at entry and return.
#include "hits.h"

COUNTED("uprobe//job/target:target_work", entry, 0)
COUNTED("uretprobe//job/target:target_work", at_return, 0)
