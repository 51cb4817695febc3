// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What libbpf answers itself.
#include "corpus.h"

extern bool LINUX_HAS_BPF_COOKIE __kconfig __weak;
extern bool LINUX_HAS_SYSCALL_WRAPPER __kconfig;
extern int LINUX_KERNEL_VERSION __kconfig;
static __noinline int newer(int than) { return LINUX_KERNEL_VERSION > than; }
SEC("socket") int asks(struct __sk_buff *skb) {
  if (LINUX_HAS_BPF_COOKIE) return newer(KERNEL_VERSION(5, 15, 0));
  return LINUX_HAS_SYSCALL_WRAPPER;
}
