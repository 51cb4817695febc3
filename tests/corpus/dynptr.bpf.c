// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dynamic pointers: reserved in a ring buffer, made from memory, sliced by reads.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
char memory[64];
SEC("raw_tp/sys_enter") int reserve(void *ctx) {
  struct bpf_dynptr room, local;
  int value = 7, back = 0;
  if (bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &room) == 0) bpf_dynptr_write(&room, 4, &value, sizeof value, 0);
  bpf_ringbuf_submit_dynptr(&room, 0);
  bpf_dynptr_from_mem(memory, sizeof memory, 0, &local);
  bpf_dynptr_read(&back, sizeof back, &local, 8, 0);
  return back;
}
