// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// System calls by name, with and without a wrapper around their registers.
#include "corpus.h"

SEC("ksyscall/openat") int BPF_KSYSCALL(open_call, int folder, const char *path, int flags) { return flags & 1; }
SEC("kretsyscall/openat") int BPF_KRETPROBE(open_return, long ret) { return ret < 0; }
SEC("kprobe/__x64_sys_close") int BPF_KPROBE_SYSCALL(close_call, int fd) { return fd == 3; }
SEC("kprobe/vfs_read") int BPF_KPROBE(arguments, void *file, char *buf, unsigned long count) { return count > 1; }
