/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program of the corpus includes: the headers a Debian 12 has, a licence, and a few kernel types. */
#pragma once
#include <linux/ptrace.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/stddef.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define PAI __attribute__((preserve_access_index))

#ifndef bpf_ksym_exists
#define bpf_ksym_exists(symbol) (!!(symbol))
#endif

char corpus_license[] SEC("license") = "Dual BSD/GPL";

typedef int pid_t;
struct list_head {
  struct list_head *next, *prev;
} PAI;
struct mm_struct;
struct task_struct {
  int pid;
  int tgid;
  char comm[16];
  struct task_struct *real_parent;
  struct mm_struct *mm;
  unsigned int flags;
  struct list_head children;
} PAI;
struct bpf_map;
struct seq_file;
struct bpf_iter_meta {
  struct seq_file *seq;
  __u64 session_id;
  __u64 seq_num;
} PAI;
