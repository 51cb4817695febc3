// Spin locks: one at a time, in a map's value, nothing but plain accesses while it is held.
#include "corpus.h"

struct locked { int n; struct bpf_spin_lock lock; long m; };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2);
  __type(key, int);
  __type(value, struct locked);
} values SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 2);
  __type(key, int);
  __type(value, struct locked);
} others SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2);
  __type(key, int);
  __type(value, long);
} plain SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
} progs SEC(".maps");

#define FIND(map, v) int key = 0; struct locked *v = bpf_map_lookup_elem(&map, &key); if (!v) return 0

STATIC int inside(struct locked *v) { v->n++; HIDE(v); return 0; }
STATIC int unlocks(struct locked *v) { bpf_spin_unlock(&v->lock); return 0; }
NOINLINE int global_inside(int n) { return n + 1; }

SEC("tc") ACCEPT int locked_and_unlocked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); v->n++; bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("bpf_spin_lock-ed region") int never_unlocked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); v->n++; return 0; }
SEC("tc") REJECT("bpf_spin_unlock without taking a lock") int unlocked_alone(struct __sk_buff *skb) { FIND(values, v); bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("function calls are not allowed while holding a lock") int locked_twice(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); bpf_spin_lock(&v->lock); bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("function calls are not allowed while holding a lock") int two_locks(struct __sk_buff *skb) {
  FIND(values, v);
  struct locked *w = bpf_map_lookup_elem(&others, &key);
  if (!w) return 0;
  bpf_spin_lock(&v->lock); bpf_spin_lock(&w->lock); bpf_spin_unlock(&w->lock); bpf_spin_unlock(&v->lock);
  return 0;
}
SEC("tc") REJECT("bpf_spin_unlock of different lock") int another_unlocked(struct __sk_buff *skb) {
  FIND(values, v);
  struct locked *w = bpf_map_lookup_elem(&others, &key);
  if (!w) return 0;
  bpf_spin_lock(&v->lock); bpf_spin_unlock(&w->lock);
  return 0;
}
SEC("tc") REJECT("bpf_spin_unlock of different lock") int another_element_unlocked(struct __sk_buff *skb) {
  FIND(others, v);
  int second = 1;
  struct locked *w = bpf_map_lookup_elem(&others, &second);
  if (!w) return 0;
  bpf_spin_lock(&v->lock); bpf_spin_unlock(&w->lock);
  return 0;
}
SEC("tc") REJECT("function calls are not allowed while holding a lock") int helper_while_locked(struct __sk_buff *skb) {
  FIND(values, v);
  bpf_spin_lock(&v->lock); v->m = bpf_ktime_get_ns(); bpf_spin_unlock(&v->lock);
  return 0;
}
SEC("tc") ACCEPT SAYS("<6.8 reject") int static_call_while_locked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); inside(v); bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") ACCEPT SAYS("<6.8 reject") int unlocked_by_a_subprogram(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); unlocks(v); return 0; }
SEC("tc") REJECT("global function calls are not allowed while holding a lock,") int global_call_while_locked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); v->n = global_inside(v->n); bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("function calls are not allowed while holding a lock") int tail_call_while_locked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); bpf_tail_call(skb, &progs, 0); bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region") int unlocked_on_one_path(struct __sk_buff *skb) { FIND(values, v); unsigned n = bpf_get_prandom_u32(); bpf_spin_lock(&v->lock); if (n > 5) bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") REJECT("bpf_spin_lock cannot be accessed directly") int lock_read(struct __sk_buff *skb) { FIND(values, v); return *(volatile int *)&v->lock; }
SEC("tc") REJECT("bpf_spin_lock cannot be accessed directly") int lock_written(struct __sk_buff *skb) { FIND(values, v); *(volatile int *)&v->lock = 0; return 0; }
SEC("tc") REJECT("bpf_spin_lock cannot be accessed directly") int lock_overlapped(struct __sk_buff *skb) { FIND(values, v); *(volatile long *)v = 0; return 0; }
SEC("tc") REJECT("off 8 doesn't point to 'struct bpf_spin_lock' that is at 4") int lock_not_at_its_place(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock((void *)&v->m); bpf_spin_unlock((void *)&v->m); return 0; }
SEC("tc") REJECT("R1 type=fp expected=map_value, ptr_") int lock_on_the_stack(struct __sk_buff *skb) { struct bpf_spin_lock lock = {}; bpf_spin_lock(&lock); bpf_spin_unlock(&lock); return 0; }
SEC("tc") REJECT("map 'plain' has no valid bpf_spin_lock") int lock_in_a_map_without(struct __sk_buff *skb) { int key = 0; void *v = bpf_map_lookup_elem(&plain, &key); if (!v) return 0; bpf_spin_lock(v); bpf_spin_unlock(v); return 0; }
SEC("tc") REJECT("R6 pointer arithmetic on map_value_or_null prohibited, null-check it first") int lock_null_unchecked(struct __sk_buff *skb) { int key = 0; struct locked *v = bpf_map_lookup_elem(&others, &key); bpf_spin_lock(&v->lock); bpf_spin_unlock(&v->lock); return 0; }
SEC("tracepoint") REJECT("tracing progs cannot use bpf_spin_lock yet") int lock_in_a_tracepoint(void *ctx) { FIND(values, v); bpf_spin_lock(&v->lock); bpf_spin_unlock(&v->lock); return 0; }
SEC("socket") REJECT("socket filter progs cannot use bpf_spin_lock yet") int lock_in_a_socket_filter(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); bpf_spin_unlock(&v->lock); return 0; }
SEC("xdp") ACCEPT int lock_in_xdp(struct xdp_md *ctx) { FIND(values, v); bpf_spin_lock(&v->lock); v->m = 1; bpf_spin_unlock(&v->lock); return 0; }
SEC("tc") ACCEPT int lock_flag_of_update(struct __sk_buff *skb) { int key = 0; struct locked v = {}; bpf_map_update_elem(&values, &key, &v, BPF_F_LOCK); return 0; }
SEC("tc") ACCEPT int loop_while_locked(struct __sk_buff *skb) { FIND(values, v); bpf_spin_lock(&v->lock); for (int i = 0; i < 5; i++) { v->n += i; HIDE(v); } bpf_spin_unlock(&v->lock); return 0; }
