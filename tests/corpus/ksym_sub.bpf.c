// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel variables and configuration used by subprograms that several programs share.
#include "corpus.h"

extern const int cpu_number __ksym __weak;
extern const void vfs_write __ksym;
extern unsigned CONFIG_HZ __kconfig;
extern bool CONFIG_BPF_JIT __kconfig __weak;
static __noinline int this_cpu(void) { return &cpu_number ? *(const int *)bpf_this_cpu_ptr(&cpu_number) : -1; }
static __noinline __u64 hz(void) { return CONFIG_HZ + CONFIG_BPF_JIT + ((__u64)&vfs_write & 0xff); }
SEC("raw_tp/sys_enter") int a(void *ctx) { return this_cpu() + hz(); }
SEC("raw_tp/sys_exit") int b(void *ctx) { return hz() - this_cpu(); }
