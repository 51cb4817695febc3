// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A user ring buffer drained by a callback, with a dynptr.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } orders SEC(".maps");
int taken;
static long take(struct bpf_dynptr *sample, void *context) {
  int value = 0;
  bpf_dynptr_read(&value, sizeof value, sample, 0, 0);
  taken += value;
  return 0;
}
SEC("raw_tp/sys_enter") int drain(void *ctx) { return bpf_user_ringbuf_drain(&orders, take, 0, 0) < 0; }
