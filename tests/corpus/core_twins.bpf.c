// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: two kernel types of one name; fields that agree, and candidates that fall away.
#include "corpus.h"

struct twins { int same; long one_only; } PAI;
struct halves { int first; int second; } PAI;
long out[4];
SEC("raw_tp/sys_enter") int agree(struct bpf_raw_tracepoint_args *ctx) {
  struct twins *t = (void *)ctx->args[0];
  out[0] = BPF_CORE_READ(t, same) + bpf_core_field_size(t->same);
  return bpf_core_type_exists(struct twins);
}
SEC("raw_tp/sys_enter") int one_falls_away(struct bpf_raw_tracepoint_args *ctx) {
  struct halves *h = (void *)ctx->args[0];
  out[1] = BPF_CORE_READ(h, second);
  out[2] = BPF_CORE_READ(h, first);
  return 0;
}
