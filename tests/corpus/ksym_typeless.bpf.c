// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Addresses of kernel symbols, and one that is missing and weak.
#include "corpus.h"

extern const void vfs_read __ksym;
extern const void bpf_prog_active __ksym __weak;
extern const void espy_no_such_symbol __ksym __weak;
__u64 addresses[3];
SEC("raw_tp/sys_enter") int addr(void *ctx) {
  addresses[0] = (__u64)&vfs_read;
  addresses[1] = (__u64)&bpf_prog_active;
  addresses[2] = (__u64)&espy_no_such_symbol;
  return 0;
}
