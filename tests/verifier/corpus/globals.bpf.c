// Subprograms that are verified on their own, by the types and tags of their arguments.
#include "corpus.h"

#define ARG(tag) __attribute__((btf_decl_tag("arg:" tag)))

struct pair { long a, b; };
typedef struct { long a, b; } nameless;
struct task_struct { int pid; } PAI;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, struct pair);
} pairs SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
} progs SEC(".maps");

NOINLINE int number(int n) { return n * 2; }
NOINLINE int of_pair(struct pair *p) { return p ? p->a : 0; }
NOINLINE int of_nameless(nameless *p) { return p ? p->a : 0; }
NOINLINE int of_pair_unchecked(struct pair *p) { return p->a; }
NOINLINE int of_pair_nonnull(struct pair *p ARG("nonnull")) { return p->a; }
NOINLINE int of_pair_beyond(struct pair *p) { return p ? (int)((volatile long *)p)[2] : 0; }
NOINLINE int of_pair_written(struct pair *p) { if (p) p->a = 1; return 0; }
NOINLINE int of_context(struct __sk_buff *skb) { return skb->len; }
NOINLINE int of_tagged_context(void *ctx ARG("ctx")) { return ((struct __sk_buff *)ctx)->len; }
NOINLINE int of_void(void *p) { return p != 0; }
NOINLINE void returns_nothing(int n) { asm volatile("" ::"r"(n)); }
NOINLINE struct pair *returns_pointer(struct pair *p) { return p; }
NOINLINE long index_of(unsigned long i) { asm volatile("" : "+r"(i)); return i & 1; }
NOINLINE int of_task(struct task_struct *task ARG("trusted")) { return task->pid; }
NOINLINE int of_maybe_task(struct task_struct *task ARG("trusted") ARG("nullable")) { return task ? task->pid : 0; }
NOINLINE int of_maybe_task_unchecked(struct task_struct *task ARG("trusted") ARG("nullable")) { return task->pid; }
NOINLINE int many(int a, int b, int c, int d, int e) { return a + b + c + d + e; }
NOINLINE int jumps(struct __sk_buff *skb) { bpf_tail_call(skb, &progs, 0); return 1; }
STATIC int static_jumps(struct __sk_buff *skb) { bpf_tail_call(skb, &progs, 0); HIDE(skb); return 1; }
NOINLINE int pulls(struct __sk_buff *skb) { return bpf_skb_pull_data(skb, 0); }
__weak NOINLINE int out_of_bounds(int n) {
  struct pair *p = bpf_map_lookup_elem(&pairs, &n);
  return p ? (int)((volatile long *)p)[4] : 0;
}

SEC("tc") ACCEPT int global_number(struct __sk_buff *skb) { return number(skb->len); }
SEC("tc") ACCEPT SAYS("5.10 reject") int global_pair(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  return of_pair(&p);
}
// A program whose context has no type: a structure without a name is not that.
SEC("syscall") ACCEPT SAYS("<6.8 reject") int global_nameless(void *ctx) {
  nameless p = {1, 2};
  return of_nameless(&p);
}
SEC("tc") ACCEPT int global_pair_null(struct __sk_buff *skb) { return of_pair(0); }
SEC("tc") REJECT("invalid mem access 'mem_or_null'") int global_pair_unchecked(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  return of_pair_unchecked(&p);
}
SEC("tc") ACCEPT SAYS("<6.8 reject") int global_pair_nonnull(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  return of_pair_nonnull(&p);
}
SEC("tc") REJECT("expected") int global_pair_nonnull_given_null(struct __sk_buff *skb) { return of_pair_nonnull(0); }
SEC("tc") REJECT("invalid access to memory") int global_pair_beyond(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  return of_pair_beyond(&p);
}
SEC("tc") ACCEPT int global_pair_written(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  return of_pair_written(&p);
}
SEC("tc") ACCEPT SAYS("5.10 reject") int global_pair_in_a_map(struct __sk_buff *skb) {
  int key = 0;
  struct pair *p = bpf_map_lookup_elem(&pairs, &key);
  return p ? of_pair_written(p) : 0;
}
SEC("tc") REJECT("invalid read from stack R1 off=-8 size=16") int global_pair_too_small(struct __sk_buff *skb) {
  long half = skb->len;
  return of_pair((struct pair *)&half);
}
SEC("tc") REJECT("R1 type=scalar expected=fp") int global_pair_given_a_number(struct __sk_buff *skb) {
  unsigned long n = skb->len;
  return of_pair((struct pair *)n);
}
SEC("tc") ACCEPT int global_context(struct __sk_buff *skb) { return of_context(skb); }
SEC("tc") ACCEPT SAYS("<6.8 reject") int global_tagged_context(struct __sk_buff *skb) { return of_tagged_context(skb); }
SEC("xdp") REJECT("R1 type=ctx expected=fp") int global_context_of_another_type(struct xdp_md *ctx) { return of_context((void *)ctx); }
SEC("tc") REJECT("arg#0 expects pointer to ctx") int global_context_given_the_stack(struct __sk_buff *skb) {
  struct __sk_buff other = {};
  return of_context(&other);
}
SEC("tc") REJECT("arg#0") int global_void_pointer(struct __sk_buff *skb) { return of_void(skb); }
SEC("tc") REJECT("doesn't return scalar") SAYS(">=7.3 accept") int global_void_result(struct __sk_buff *skb) {
  returns_nothing(skb->len);
  return 0;
}
SEC("tc") ACCEPT int global_pointer_result(struct __sk_buff *skb) {
  struct pair p = {skb->len, 2};
  struct pair *q = returns_pointer(&p);
  return q != 0;
}
SEC("tc") REJECT("math between map_value pointer and register with unbounded min value is not allowed") int global_result_is_not_known(struct __sk_buff *skb) {
  int key = 0;
  char *p = bpf_map_lookup_elem(&pairs, &key);
  if (!p) return 0;
  return p[index_of(skb->len)];
}
SEC("tp_btf/sched_switch") ACCEPT SAYS("<6.8 reject") int global_trusted(void *ctx) { return of_task(bpf_get_current_task_btf()); }
SEC("tp_btf/sched_switch") ACCEPT SAYS("<6.8 reject") int global_trusted_nullable(void *ctx) { return of_maybe_task(0); }
SEC("tp_btf/sched_switch") REJECT("trusted_ptr_or_null_") int global_trusted_nullable_unchecked(void *ctx) { return of_maybe_task_unchecked(bpf_get_current_task_btf()); }
SEC("tp_btf/sched_switch") REJECT("R1 type=scalar expected=ptr_") int global_trusted_given_null(void *ctx) { return of_task(0); }
SEC("tc") ACCEPT int global_five_arguments(struct __sk_buff *skb) { return many(skb->len, 2, 3, 4, 5); }
SEC("tc") REJECT("invalid access to map value") int global_wrong_inside(struct __sk_buff *skb) { return out_of_bounds(skb->len); }
SEC("tc") ACCEPT int global_tail_call(struct __sk_buff *skb) { return jumps(skb); }
SEC("tc") ACCEPT int static_tail_call(struct __sk_buff *skb) { return static_jumps(skb); }
SEC("tc") REJECT("invalid mem access 'scalar'") SAYS("<6.12 accept") int global_moves_the_packet(struct __sk_buff *skb) {
  char *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 1 > end) return 0;
  pulls(skb);
  return data[0];
}
SEC("tc") ACCEPT int global_leaves_the_packet(struct __sk_buff *skb) {
  volatile char *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 1 > end) return 0;
  int n = number(skb->len);
  return data[0] + n;
}
SEC("tc") REJECT("tail_calls are not allowed when call stack of previous frames") int deep_tail_call(struct __sk_buff *skb) {
  char big[300];
  asm volatile("" ::"r"(big) : "memory");
  big[0] = skb->len;
  asm volatile("" ::"r"(big) : "memory");
  return static_jumps(skb);
}
