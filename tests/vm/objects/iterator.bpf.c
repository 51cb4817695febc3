// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Every task, written out as text.
#include "hits.h"

COUNTED("iter/task", tasks, 0)
