// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// An arena map and pointers into it.
#include "corpus.h"

#define __arena __attribute__((address_space(1)))
struct { __uint(type, 33 /* BPF_MAP_TYPE_ARENA */); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 10); } arena SEC(".maps");
extern void *bpf_arena_alloc_pages(void *map, void *address, __u32 pages, int node, __u64 flags) __ksym __weak;
int value;
SEC("syscall") int allocate(void *ctx) {
  int __arena *page = (int __arena *)bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
  if (!page) return 1;
  page[0] = 3;
  value = page[0];
  return 0;
}
