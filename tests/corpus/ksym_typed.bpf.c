// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel variables with types: per-CPU, weak and missing.
#include "corpus.h"

struct rq { unsigned int nr_running; } PAI;
extern const struct rq runqueues __ksym;
extern const int cpu_number __ksym __weak;
extern const int espy_no_such_variable __ksym __weak;
__u64 out;
SEC("raw_tp/sys_enter") int typed(void *ctx) {
  const struct rq *rq = bpf_per_cpu_ptr(&runqueues, 0);
  if (rq) out = rq->nr_running;
  rq = bpf_this_cpu_ptr(&runqueues);
  out += rq->nr_running;
  if (&espy_no_such_variable) out += 5;
  if (&cpu_number) out += *(const int *)bpf_this_cpu_ptr(&cpu_number);
  return 0;
}
