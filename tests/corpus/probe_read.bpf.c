// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The helpers that older kernels have under other numbers.
#include "corpus.h"

char buffer[32];
SEC("kprobe/do_sys_openat2") int reads(struct pt_regs *ctx) {
  void *p = (void *)PT_REGS_PARM2(ctx);
  bpf_probe_read_user(buffer, 8, p);
  bpf_probe_read_kernel(buffer, 8, p);
  bpf_probe_read_user_str(buffer, sizeof buffer, p);
  bpf_probe_read_kernel_str(buffer, sizeof buffer, p);
  bpf_probe_read(buffer, 4, p);
  return 0;
}
