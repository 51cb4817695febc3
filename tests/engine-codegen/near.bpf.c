// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Small functions as a tracing script needs them, compiled by clang: near.ir has the same as IR.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

char near_license[] SEC("license") = "GPL";
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u64);
} counts SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 65536);
} ring SEC(".maps");
struct event {
  __u64 time;
  __u32 pid, uid;
  __u64 a, b;
  char comm[16];
};

SEC("raw_tp") int count_by_pid(__u64 *ctx) {
  __u64 key = bpf_get_current_pid_tgid() >> 32, one = 1;
  __u64 *value = bpf_map_lookup_elem(&counts, &key);
  if (value)
    __sync_fetch_and_add(value, 1);
  else
    bpf_map_update_elem(&counts, &key, &one, BPF_NOEXIST);
  return 0;
}

SEC("raw_tp") int record(__u64 *ctx) {
  struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
  if (!event) return 0;
  event->time = bpf_ktime_get_ns();
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->uid = bpf_get_current_uid_gid();
  event->a = ctx[0];
  event->b = ctx[1];
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_ringbuf_submit(event, 0);
  return 0;
}

SEC("raw_tp") int filter(__u64 *ctx) {
  __u64 a = ctx[0], b = ctx[1];
  if (a < 10 || a > 20 || (b & 0x100) || (__s64)b < -5) return 0;
  __u64 key = a * 31 + b, *value = bpf_map_lookup_elem(&counts, &key);
  if (value) *value += 1;
  return 0;
}

SEC("raw_tp") int log2_of(__u64 *ctx) {
  __u64 v = ctx[0], r = 0;
  if (v >> 32) { v >>= 32; r += 32; }
  if (v >> 16) { v >>= 16; r += 16; }
  if (v >> 8) { v >>= 8; r += 8; }
  if (v >> 4) { v >>= 4; r += 4; }
  if (v >> 2) { v >>= 2; r += 2; }
  if (v >> 1) r += 1;
  __u64 *value = bpf_map_lookup_elem(&counts, &r);
  if (value) *value += 1;
  return 0;
}

SEC("raw_tp") int hash(__u64 *ctx) {
  __u64 h = 14695981039346656037ULL, v = ctx[0];
#pragma clang loop unroll(disable)
  for (int i = 0; i < 8; i++) {
    h = (h ^ (v & 255)) * 1099511628211ULL;
    v >>= 8;
  }
  return h;
}

SEC("raw_tp") int latency(__u64 *ctx) {
  __u64 id = bpf_get_current_pid_tgid();
  __u64 *start = bpf_map_lookup_elem(&counts, &id);
  if (!start) return 0;
  __u64 now = bpf_ktime_get_ns();
  __u64 taken = now - *start;
  bpf_map_delete_elem(&counts, &id);
  __u64 key = taken / 1000;
  if (key > 100) key = 100;
  __u64 *value = bpf_map_lookup_elem(&counts, &key);
  if (value) *value += taken;
  return 0;
}
