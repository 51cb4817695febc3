// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Kernel functions that may be missing, and are not called then.
#include "corpus.h"

extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern int espy_no_such_function(int a) __ksym __weak;
extern int espy_neither_this(void) __ksym __weak;
SEC("tp_btf/sys_enter") int BPF_PROG(maybe) {
  if (bpf_rcu_read_lock && bpf_rcu_read_unlock) {
    bpf_rcu_read_lock();
    bpf_rcu_read_unlock();
  }
  if (espy_no_such_function) return espy_no_such_function(4);
  if (bpf_ksym_exists(espy_neither_this)) return espy_neither_this();
  return 0;
}
