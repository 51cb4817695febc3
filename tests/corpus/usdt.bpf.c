// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Statically defined trace points: arguments by location, a cookie, an address.
#include "corpus.h"

#include <bpf/usdt.bpf.h>
long seen[3];
SEC("usdt//usr/bin/python3:python:gc__start") int BPF_USDT(gc, int generation) { seen[0] = generation; return 0; }
SEC("usdt") int any(struct pt_regs *ctx) {
  long x = 0;
  seen[1] = bpf_usdt_arg_cnt(ctx);
  bpf_usdt_arg(ctx, 2, &x);
  seen[2] = x + bpf_usdt_cookie(ctx);
  return 0;
}
