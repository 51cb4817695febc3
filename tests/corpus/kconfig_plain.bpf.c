// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel configuration of every type.
#include "corpus.h"

extern unsigned CONFIG_HZ __kconfig;
extern unsigned long CONFIG_NR_CPUS __kconfig __weak;
extern _Bool CONFIG_BPF_SYSCALL __kconfig;
extern enum libbpf_tristate CONFIG_BPF __kconfig;
extern char CONFIG_DEFAULT_HOSTNAME[16] __kconfig __weak;
extern char CONFIG_MODULES __kconfig __weak;
extern int CONFIG_ESPY_DOES_NOT_EXIST __kconfig __weak;
extern int LINUX_KERNEL_VERSION __kconfig;
__u64 sum;
SEC("socket") int config(struct __sk_buff *skb) {
  sum = CONFIG_HZ + CONFIG_NR_CPUS + CONFIG_BPF_SYSCALL + CONFIG_BPF + CONFIG_DEFAULT_HOSTNAME[0] + CONFIG_MODULES +
        CONFIG_ESPY_DOES_NOT_EXIST + LINUX_KERNEL_VERSION;
  return sum;
}
