// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Queue, stack, LPM trie, bloom filter, stack traces, ring and perf buffers.
#include "corpus.h"

struct { __uint(type, BPF_MAP_TYPE_QUEUE); __type(value, __u32); __uint(max_entries, 8); } queue SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_STACK); __type(value, __u32); __uint(max_entries, 8); } stack SEC(".maps");
struct prefix { __u32 bits; __u32 address; };
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __type(key, struct prefix); __type(value, __u32); __uint(max_entries, 8); __uint(map_flags, BPF_F_NO_PREALLOC); } routes SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __type(value, __u32); __uint(max_entries, 100); __uint(map_extra, 3); } seen SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(key_size, 4); __uint(value_size, 127 * 8); __uint(max_entries, 16); } stacks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } events SEC(".maps");
SEC("tp/sched/sched_switch") int record(void *ctx) {
  __u32 value = 5;
  struct prefix where = {32, 0x0100007f};
  bpf_map_push_elem(&queue, &value, 0);
  bpf_map_push_elem(&stack, &value, BPF_EXIST);
  bpf_map_push_elem(&seen, &value, 0);
  bpf_map_lookup_elem(&routes, &where);
  value = bpf_get_stackid(ctx, &stacks, 0);
  bpf_ringbuf_output(&ring, &value, sizeof value, 0);
  bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &value, sizeof value);
  return 0;
}
