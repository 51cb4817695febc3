// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define OPS_SECTION ".struct_ops.link"
#define OPS_NAME "espy_linked"
#include "struct_ops.bpf.c"
