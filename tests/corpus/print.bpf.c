// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Formatted output: few arguments, many, into a buffer, into an iterator.
#include "corpus.h"

char line[80];
SEC("raw_tp/sys_enter") int prints(void *ctx) {
  bpf_printk("plain");
  bpf_printk("one %d", 1);
  bpf_printk("three %d %s %llx", 1, "two", 3ULL);
  bpf_printk("five %d %d %d %d %d", 1, 2, 3, 4, 5);
  BPF_SNPRINTF(line, sizeof line, "%d %s", 5, "x");
  return 0;
}
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } PAI;
SEC("iter/task") int tasks(struct bpf_iter__task *ctx) {
  if (!ctx->task) return 0;
  BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", ctx->task->pid, ctx->task->tgid);
  return 0;
}
