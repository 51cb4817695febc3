// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: anonymous members, arrays, unions, pointers, flexible arrays.
#include "corpus.h"

struct in { int x; int y; } PAI;
struct nest {
  int head;
  struct { int inside; union { int either; long other; }; };
  struct in list[4];
  struct in table[2][3];
  struct in *next;
  union { struct in named; char raw[8]; } u;
} PAI;
struct flexible { int count; struct in items[]; } PAI;
struct flat___v2 { int inside; int either; } PAI;
__u64 out[12];
SEC("raw_tp/sys_enter") int nested(struct bpf_raw_tracepoint_args *ctx) {
  struct nest *n = (void *)ctx->args[0];
  struct flexible *f = (void *)ctx->args[1];
  out[0] = BPF_CORE_READ(n, inside) + BPF_CORE_READ(n, either) + BPF_CORE_READ(n, other);
  out[1] = BPF_CORE_READ(n, list[2].y) + BPF_CORE_READ(n, table[1][2].x);
  out[2] = BPF_CORE_READ(n, next, y);
  out[3] = BPF_CORE_READ(n, u.named.y) + BPF_CORE_READ(n, u.raw[5]);
  out[4] = BPF_CORE_READ(f, items[7].y);
  out[5] = bpf_core_field_exists(n->list[3].x) + 2 * bpf_core_field_exists(n->head);
  out[6] = BPF_CORE_READ(&n[3], list[1].x);
  out[7] = bpf_core_field_size(n->list) + bpf_core_field_size(n->table[1]);
  return 0;
}
SEC("raw_tp/sys_enter") int flat(struct bpf_raw_tracepoint_args *ctx) {
  struct flat___v2 *f = (void *)ctx->args[0];
  out[8] = BPF_CORE_READ(f, inside) + BPF_CORE_READ(f, either);
  return 0;
}
