// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// An open-coded iterator over numbers.
#include "corpus.h"

struct bpf_iter_num { __u64 opaque[1]; } __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
SEC("raw_tp/sys_enter") int count(void *ctx) {
  struct bpf_iter_num it;
  int sum = 0, *n;
  bpf_iter_num_new(&it, 0, 10);
  while ((n = bpf_iter_num_next(&it))) sum += *n;
  bpf_iter_num_destroy(&it);
  return sum;
}
