// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A strong kernel symbol that does not exist: an error.
#include "corpus.h"

extern const void espy_no_such_symbol __ksym;
SEC("raw_tp/sys_enter") int addr(void *ctx) { return (__u64)&espy_no_such_symbol >> 3; }
