// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Many functions of a program with one link.
#include "hits.h"

COUNTED("uprobe.multi//job/target:target_*", entry, 0)
COUNTED("uretprobe.multi//job/target:target_*", at_return, 0)
