// Callbacks: what they get, what they may return, what they may do to the frame that passed them.
#include "corpus.h"

struct bpf_map;
struct value { long a, b; };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, int);
  __type(value, struct value);
} array SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} ring SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
  __uint(max_entries, 4096);
} user_ring SEC(".maps");
struct timed { struct bpf_timer timer; long n; };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, struct timed);
} timers SEC(".maps");

struct sum { long n; char bytes[16]; };

STATIC int add(int i, struct sum *s) { s->n += i; return 0; }
STATIC int stop_at_five(int i, struct sum *s) { return i == 5; }
STATIC int returns_two(int i, struct sum *s) { return 2; }
STATIC int returns_anything(int i, struct sum *s) { return bpf_get_prandom_u32(); }
STATIC int indexes(int i, struct sum *s) { if (i >= 0 && i < 16) s->bytes[i] = 1; return 0; }
STATIC int indexes_unchecked(int i, struct sum *s) { s->bytes[i] = 1; return 0; }
STATIC int indexes_by_its_own_sum(int i, struct sum *s) { s->bytes[s->n & 15] = 1; s->n += 1; return 0; }
STATIC int indexes_by_its_own_sum_unchecked(int i, struct sum *s) { *((volatile char *)s->bytes + s->n) = 1; s->n += 1; return 0; }
STATIC int leaks(int i, void *none) { bpf_ringbuf_reserve(&ring, 8, 0); return 0; }
STATIC int balanced(int i, void *none) {
  void *p = bpf_ringbuf_reserve(&ring, 8, 0);
  if (p) bpf_ringbuf_discard(p, 0);
  return 0;
}
STATIC int releases_the_callers(int i, void **p) {
  if (*p) bpf_ringbuf_discard(*p, 0);
  return 0;
}
STATIC int inner(int i, struct sum *s) { s->n += 1; return 0; }
STATIC int outer(int i, struct sum *s) { bpf_loop(2, inner, s, 0); return 0; }
STATIC int endless(int i, void *none) { for (;;) { asm volatile("" ::: "memory"); } return 0; }

SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_adds(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(10, add, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_stops(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(10, stop_at_five, &s, 0); return s.n; }
SEC("tc") REJECT("should have been in [0, 1]") int loop_returns_two(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(10, returns_two, &s, 0); return 0; }
SEC("tc") REJECT("should have been in [0, 1]") int loop_returns_anything(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(10, returns_anything, &s, 0); return 0; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_many_turns(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(8000000, add, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_unknown_turns(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(skb->len, add, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_indexes(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(16, indexes, &s, 0); return s.n; }
SEC("tc") REJECT("value -2147483648 makes fp pointer be out of bounds") int loop_indexes_unchecked(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(16, indexes_unchecked, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_sum_as_an_index(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(16, indexes_by_its_own_sum, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_turns_bound_the_sum(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(16, indexes_by_its_own_sum_unchecked, &s, 0); return s.n; }
SEC("tc") REJECT("invalid write to stack R3 off=0 size=1") SAYS("6.1 accept") int loop_sum_as_an_index_unchecked(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(17, indexes_by_its_own_sum_unchecked, &s, 0); return s.n; }
SEC("tc") REJECT("Unreleased reference") int loop_leaks(struct __sk_buff *skb) { bpf_loop(10, leaks, 0, 0); return 0; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_balanced(struct __sk_buff *skb) { bpf_loop(10, balanced, 0, 0); return 0; }
SEC("tc") REJECT("Unreleased reference id=2 alloc_insn=4") int loop_releases_the_callers(struct __sk_buff *skb) {
  void *p = bpf_ringbuf_reserve(&ring, 8, 0);
  bpf_loop(1, releases_the_callers, &p, 0);
  return 0;
}
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int loop_nested(struct __sk_buff *skb) { struct sum s = {}; bpf_loop(10, outer, &s, 0); return s.n; }
SEC("tc") REJECT("infinite loop") int loop_endless_inside(struct __sk_buff *skb) { bpf_loop(10, endless, 0, 0); return 0; }
SEC("tc") REJECT("makes map_value pointer be out of bounds") int loop_changes_the_callers_stack(struct __sk_buff *skb) {
  struct sum s = {};
  struct value *v;
  int key = 0;
  bpf_loop(10, add, &s, 0);
  v = bpf_map_lookup_elem(&array, &key);
  if (!v) return 0;
  return ((char *)v)[s.n];
}

STATIC long each(struct bpf_map *map, int *key, struct value *value, struct sum *s) { s->n += value->a + *key; return 0; }
STATIC long each_writes(struct bpf_map *map, int *key, struct value *value, struct sum *s) { value->b = 1; return 0; }
STATIC long each_writes_the_key(struct bpf_map *map, int *key, struct value *value, struct sum *s) { *key = 1; return 0; }
STATIC long each_beyond(struct bpf_map *map, int *key, struct value *value, struct sum *s) { return ((volatile long *)value)[2]; }
STATIC long each_beyond_the_key(struct bpf_map *map, int *key, struct value *value, struct sum *s) { s->n = ((volatile int *)key)[1]; return 0; }
STATIC long each_updates(struct bpf_map *map, int *key, struct value *value, struct sum *s) { int k = 0; struct value v = {}; bpf_map_update_elem(map, &k, &v, 0); return 0; }
STATIC long each_without_context(struct bpf_map *map, int *key, struct value *value, struct sum *s) { return s->n & 1; }

SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int each_sums(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int each_value_written(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each_writes, &s, 0); return s.n; }
SEC("tc") REJECT("write to change key") int each_key_written(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each_writes_the_key, &s, 0); return s.n; }
SEC("tc") REJECT("invalid access to map value") int each_value_beyond(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each_beyond, &s, 0); return s.n; }
SEC("tc") REJECT("invalid access to map key") int each_key_beyond(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each_beyond_the_key, &s, 0); return s.n; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int each_map_updated(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&array, each_updates, &s, 0); return s.n; }
SEC("tc") REJECT("R4 invalid mem access 'scalar'") int each_null_context(struct __sk_buff *skb) { bpf_for_each_map_elem(&array, each_without_context, 0, 0); return 0; }
SEC("tc") REJECT("callback function not allowed for map") int each_of_a_ring(struct __sk_buff *skb) { struct sum s = {}; bpf_for_each_map_elem(&ring, each, &s, 0); return 0; }

STATIC int on_time(void *map, int *key, struct timed *value) { value->n += 1; return 0; }
STATIC int on_time_returns_one(void *map, int *key, struct timed *value) { return 1; }
SEC("tc") ACCEPT SAYS("5.10 reject: number of funcs in func_info doesn't match number of subprogs") int timer_started(struct __sk_buff *skb) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  if (!t) return 0;
  bpf_timer_init(&t->timer, &timers, 0);
  bpf_timer_set_callback(&t->timer, on_time);
  bpf_timer_start(&t->timer, 1000, 0);
  return 0;
}
SEC("tc") REJECT("should have been in [0, 0]") int timer_callback_returns_one(struct __sk_buff *skb) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  if (!t) return 0;
  bpf_timer_set_callback(&t->timer, on_time_returns_one);
  return 0;
}
SEC("tc") REJECT("timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0") int timer_of_another_map(struct __sk_buff *skb) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  if (!t) return 0;
  bpf_timer_init(&t->timer, &array, 0);
  return 0;
}
SEC("tc") REJECT("off 16 doesn't point to 'struct bpf_timer' that is at 0") int timer_not_at_its_place(struct __sk_buff *skb) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  if (!t) return 0;
  bpf_timer_init((void *)&t->n, &timers, 0);
  return 0;
}
SEC("tc") REJECT("R1 type=fp expected=map_value") int timer_on_the_stack(struct __sk_buff *skb) {
  struct bpf_timer t = {};
  bpf_timer_init(&t, &timers, 0);
  return 0;
}
SEC("tc") REJECT("bpf_timer cannot be accessed directly") SAYS("5.10 accept") int timer_read(struct __sk_buff *skb) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  return t ? *(volatile long *)&t->timer : 0;
}
SEC("tracepoint") REJECT("tracing progs cannot use bpf_timer yet") SAYS(">=7.3 accept") int timer_in_a_tracepoint(void *ctx) {
  int key = 0;
  struct timed *t = bpf_map_lookup_elem(&timers, &key);
  if (!t) return 0;
  bpf_timer_init(&t->timer, &timers, 0);
  return 0;
}

STATIC long drained(struct bpf_dynptr *d, struct sum *s) { long n = 0; bpf_dynptr_read(&n, 8, d, 0, 0); s->n += n; return 0; }
STATIC long drained_and_submitted(struct bpf_dynptr *d, void *none) { bpf_ringbuf_submit_dynptr(d, 0); return 0; }
STATIC long drained_returns_two(struct bpf_dynptr *d, void *none) { return 2; }
SEC("tc") ACCEPT SAYS("5.10 reject") int user_ring_drained(struct __sk_buff *skb) { struct sum s = {}; bpf_user_ringbuf_drain(&user_ring, drained, &s, 0); return s.n; }
SEC("tc") REJECT("cannot release unowned const bpf_dynptr") int user_ring_dynptr_released(struct __sk_buff *skb) { bpf_user_ringbuf_drain(&user_ring, drained_and_submitted, 0, 0); return 0; }
SEC("tc") REJECT("should have been in [0, 1]") int user_ring_returns_two(struct __sk_buff *skb) { bpf_user_ringbuf_drain(&user_ring, drained_returns_two, 0, 0); return 0; }
