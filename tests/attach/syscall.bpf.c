// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"

SEC("syscall") int called(void *ctx) { return 42; }
