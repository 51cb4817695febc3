// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Formatted output with constants that the compiler shares among programs.
#include "corpus.h"

struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } PAI;
SEC("iter/task") int header(struct bpf_iter__task *ctx) {
  static const char title[] = "pid comm\n";
  if (ctx->meta->seq_num == 0) bpf_seq_write(ctx->meta->seq, title, sizeof title - 1);
  if (ctx->task) BPF_SEQ_PRINTF(ctx->meta->seq, "%8d %s %d %d\n", ctx->task->pid, ctx->task->comm, ctx->task->tgid, ctx->task->flags);
  return 0;
}
SEC("iter.s/task") int again(struct bpf_iter__task *ctx) { if (ctx->task) BPF_SEQ_PRINTF(ctx->meta->seq, "%8d\n", ctx->task->pid); return 0; }
