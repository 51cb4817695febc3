// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A strong kernel function that does not exist: an error.
#include "corpus.h"

extern int espy_no_such_function(int a) __ksym;
SEC("tp_btf/sys_enter") int BPF_PROG(cannot) { return espy_no_such_function(4); }
