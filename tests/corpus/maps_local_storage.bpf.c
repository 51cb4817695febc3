// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Socket, task, inode storage.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } by_socket SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } by_task SEC(".maps");
struct { __uint(type, 32 /* BPF_MAP_TYPE_CGRP_STORAGE */); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } by_cgroup SEC(".maps");
SEC("tp_btf/sys_enter") int BPF_PROG(count_calls) {
  __u64 *calls = bpf_task_storage_get(&by_task, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (calls) (*calls)++;
  return 0;
}
SEC("cgroup_skb/egress") int count_bytes(struct __sk_buff *skb) {
  struct bpf_sock *sk = skb->sk;
  if (!sk || !(sk = bpf_sk_fullsock(sk))) return 1;
  __u64 *bytes = bpf_sk_storage_get(&by_socket, sk, 0, 1);
  if (bytes) *bytes += skb->len;
  return 1;
}
