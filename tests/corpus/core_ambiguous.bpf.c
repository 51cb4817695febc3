// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: a field that stands elsewhere in each of two types of one name: an error.
#include "corpus.h"

struct twins { int moved; } PAI;
SEC("raw_tp/sys_enter") int which(struct bpf_raw_tracepoint_args *ctx) { struct twins *t = (void *)ctx->args[0]; return BPF_CORE_READ(t, moved); }
