// Kernel pointers in maps, allocated objects, lists, trees, arenas, exceptions, global data, local storage, workqueues.
#include "corpus.h"

#include <bpf/bpf_core_read.h>

#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define CONTAINS(kind, name) __attribute__((btf_decl_tag("contains:" #kind ":" #name)))
#define PRIVATE(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

struct task_struct { int pid; struct task_struct *real_parent; } PAI;
struct cgroup;
struct bpf_list_head { __u64 : 64; __u64 : 64; } __attribute__((aligned(8)));
struct bpf_list_node { __u64 : 64; __u64 : 64; __u64 : 64; } __attribute__((aligned(8)));
struct bpf_rb_root { __u64 : 64; __u64 : 64; } __attribute__((aligned(8)));
struct bpf_rb_node { __u64 : 64; __u64 : 64; __u64 : 64; __u64 : 64; } __attribute__((aligned(8)));
struct bpf_refcount { __u32 : 32; } __attribute__((aligned(4)));

extern struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym __weak;
extern void bpf_obj_drop_impl(void *p, void *meta) __ksym __weak;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym __weak;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym __weak;
extern void bpf_throw(__u64 cookie) __ksym __weak;

struct slot { struct task_struct __kptr *task; long n; };
struct weak_slot { struct task_struct __kptr_untrusted *task; };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, struct slot);
} slots SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, struct weak_slot);
} weak_slots SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, long);
} storage SEC(".maps");

#define SLOT(map, type, v) int key = 0; struct type *v = bpf_map_lookup_elem(&map, &key); if (!v) return 0

SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject") int kptr_swapped_in(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_task_from_pid(1);
  if (!t) return 0;
  t = bpf_kptr_xchg(&v->task, t);
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("Unreleased reference") int kptr_old_one_leaked(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_task_from_pid(1);
  if (!t) return 0;
  bpf_kptr_xchg(&v->task, t);
  return 0;
}
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject") int kptr_taken_out(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_kptr_xchg(&v->task, 0);
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("Possibly NULL pointer passed to trusted arg0") int kptr_released_unchecked(void *ctx) {
  SLOT(slots, slot, v);
  bpf_task_release(bpf_kptr_xchg(&v->task, 0));
  return 0;
}
SEC("syscall") REJECT("store to referenced kptr disallowed") int kptr_stored_directly(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_task_from_pid(1);
  if (!t) return 0;
  v->task = t;
  bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("kptr access size must be BPF_DW") int kptr_read_by_halves(void *ctx) { SLOT(slots, slot, v); return *(volatile int *)&v->task; }
SEC("syscall") REJECT("R2 must be referenced when passed to release function") int kptr_of_an_unreferenced_pointer(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_kptr_xchg(&v->task, bpf_get_current_task_btf());
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("off=8 doesn't point to kptr") int kptr_not_at_its_place(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = bpf_kptr_xchg(&v->n, 0);
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("invalid mem access") int kptr_loaded_unchecked(void *ctx) {
  SLOT(slots, slot, v);
  bpf_rcu_read_lock();
  struct task_struct *t = v->task;
  int n = t->pid;
  bpf_rcu_read_unlock();
  return n;
}
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int kptr_loaded_under_rcu(void *ctx) {
  SLOT(slots, slot, v);
  int n = 0;
  bpf_rcu_read_lock();
  struct task_struct *t = v->task;
  if (t) n = t->pid;
  bpf_rcu_read_unlock();
  return n;
}
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int kptr_acquired_under_rcu(void *ctx) {
  SLOT(slots, slot, v);
  bpf_rcu_read_lock();
  struct task_struct *t = v->task;
  if (t) t = bpf_task_acquire(t);
  bpf_rcu_read_unlock();
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("R1 must be a rcu pointer") int kptr_acquired_without_rcu(void *ctx) {
  SLOT(slots, slot, v);
  struct task_struct *t = v->task;
  if (!t) return 0;
  t = bpf_task_acquire(t);
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") REJECT("R1 must be a rcu pointer") int kptr_passed_after_rcu(void *ctx) {
  SLOT(slots, slot, v);
  bpf_rcu_read_lock();
  struct task_struct *t = v->task;
  bpf_rcu_read_unlock();
  if (!t) return 0;
  t = bpf_task_acquire(t);
  if (t) bpf_task_release(t);
  return 0;
}
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") int weak_kptr_stored(void *ctx) { SLOT(weak_slots, weak_slot, v); v->task = bpf_get_current_task_btf(); return 0; }
SEC("syscall") REJECT("invalid kptr access, R0 type=scalar") SAYS("6.1 accept") int weak_kptr_of_a_number(void *ctx) { SLOT(weak_slots, weak_slot, v); *(volatile long *)&v->task = bpf_ktime_get_ns(); return 0; }
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") int weak_kptr_cleared(void *ctx) { SLOT(weak_slots, weak_slot, v); v->task = 0; return 0; }
SEC("syscall") REJECT("R1 must be a rcu pointer") int weak_kptr_acquired(void *ctx) {
  SLOT(weak_slots, weak_slot, v);
  struct task_struct *t = v->task;
  if (!t) return 0;
  t = bpf_task_acquire(t);
  if (t) bpf_task_release(t);
  return 0;
}

// ---- trusted pointers by walking ----

SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int parent_read(void *ctx) {
  struct task_struct *t = bpf_get_current_task_btf();
  bpf_rcu_read_lock();
  int n = t->real_parent->pid;
  bpf_rcu_read_unlock();
  return n;
}
SEC("syscall") ACCEPT SAYS("5.10 reject: Invalid argument") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int parent_acquired_under_rcu(void *ctx) {
  struct task_struct *t = bpf_get_current_task_btf();
  bpf_rcu_read_lock();
  struct task_struct *p = bpf_task_acquire(t->real_parent);
  bpf_rcu_read_unlock();
  if (p) bpf_task_release(p);
  return 0;
}
SEC("syscall") REJECT("R1 must be a rcu pointer") int parent_acquired_without_rcu(void *ctx) {
  struct task_struct *t = bpf_get_current_task_btf();
  struct task_struct *p = bpf_task_acquire(t->real_parent);
  if (p) bpf_task_release(p);
  return 0;
}

// ---- local storage ----

SEC("tp_btf/sys_enter") ACCEPT SAYS("5.10 reject") int task_storage(void *ctx) {
  long *n = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (n) *n += 1;
  return 0;
}
SEC("tp_btf/sys_enter") REJECT("map_value_or_null") int task_storage_unchecked(void *ctx) {
  long *n = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  *n += 1;
  return 0;
}
SEC("tp_btf/sys_enter") ACCEPT SAYS("5.10 reject") SAYS("6.1 reject") int task_storage_of_nothing(void *ctx) {
  long *n = bpf_task_storage_get(&storage, 0, 0, 0);
  if (n) *n += 1;
  return 0;
}
SEC("tp_btf/sys_enter") REJECT("invalid access to map value") int task_storage_beyond(void *ctx) {
  long *n = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0, 0);
  return n ? ((volatile long *)n)[1] : 0;
}

// ---- allocated objects and lists ----

struct node { long n; struct bpf_list_node link; };
PRIVATE(list) struct bpf_spin_lock list_lock;
PRIVATE(list) struct bpf_list_head list_head CONTAINS(node, link);
#define NEW(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), 0))

SEC("tc") ACCEPT SAYS("5.10 reject: invalid func unknown#2002000005") SAYS("6.1 reject: R0 !read_ok") int object_made_and_dropped(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  p->n = 5;
  bpf_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") REJECT("Unreleased reference") int object_leaked(struct __sk_buff *skb) { struct node *p = NEW(struct node); if (!p) return 0; p->n = 5; return 0; }
SEC("tc") REJECT("invalid mem access 'ptr_or_null_'") int object_unchecked(struct __sk_buff *skb) { struct node *p = NEW(struct node); p->n = 5; bpf_obj_drop_impl(p, 0); return 0; }
SEC("tc") REJECT("scalar") int object_used_after_drop(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  bpf_obj_drop_impl(p, 0);
  return ((volatile struct node *)p)->n;
}
SEC("tc") REJECT("direct access to bpf_list_node is disallowed") int object_link_written(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  *(volatile long *)&p->link = 0;
  bpf_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") ACCEPT SAYS("5.10 reject: invalid func unknown#2002000005") SAYS("6.1 reject: R0 !read_ok") int list_pushed(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  bpf_spin_lock(&list_lock);
  bpf_list_push_front_impl(&list_head, &p->link, 0, 0);
  bpf_spin_unlock(&list_lock);
  return 0;
}
SEC("tc") REJECT("bpf_spin_lock at off") int list_pushed_unlocked(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  bpf_list_push_front_impl(&list_head, &p->link, 0, 0);
  return 0;
}
SEC("tc") REJECT("arg#1 expected pointer to allocated object") int list_pushed_twice(struct __sk_buff *skb) {
  struct node *p = NEW(struct node);
  if (!p) return 0;
  bpf_spin_lock(&list_lock);
  bpf_list_push_front_impl(&list_head, &p->link, 0, 0);
  bpf_list_push_front_impl(&list_head, &p->link, 0, 0);
  bpf_spin_unlock(&list_lock);
  return 0;
}
SEC("tc") REJECT("Unreleased reference") int list_popped_and_leaked(struct __sk_buff *skb) {
  bpf_spin_lock(&list_lock);
  bpf_list_pop_front(&list_head);
  bpf_spin_unlock(&list_lock);
  return 0;
}
SEC("tc") ACCEPT SAYS("5.10 reject: map '.data.list' is not a struct type or bpf_spin_lock is mangled") SAYS("6.1 reject: function calls are not allowed while holding a lock") int list_popped(struct __sk_buff *skb) {
  bpf_spin_lock(&list_lock);
  struct bpf_list_node *l = bpf_list_pop_front(&list_head);
  bpf_spin_unlock(&list_lock);
  if (l) bpf_obj_drop_impl((char *)l - __builtin_offsetof(struct node, link), 0);
  return 0;
}

// ---- exceptions ----

NOINLINE int throws(int n) { if (n == 5) bpf_throw(n); return n; }
SEC("tc") ACCEPT SAYS("5.10 reject: invalid func unknown#2002000009") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int exception_thrown(struct __sk_buff *skb) { bpf_throw(0); return 0; }
SEC("tc") ACCEPT SAYS("5.10 reject: invalid func unknown#2002000009") SAYS("6.1 reject: invalid kernel function call not eliminated in verifier pass") int exception_thrown_inside(struct __sk_buff *skb) { return throws(skb->len); }
SEC("tc") REJECT("Unreleased reference id=2 alloc_insn=3") int exception_with_a_reference(struct __sk_buff *skb) { struct node *p = NEW(struct node); if (!p) return 0; bpf_throw(0); return 0; }
SEC("tc") REJECT("bpf_throw cannot be used inside bpf_rcu_read_lock-ed region") int exception_with_rcu(struct __sk_buff *skb) { bpf_rcu_read_lock(); bpf_throw(0); return 0; }

// ---- global data ----

const volatile int limit = 40;
volatile long counter;
char table[64];
SEC("socket") ACCEPT int constant_is_known(struct __sk_buff *skb) { int n = limit; if (n > 63) return *(volatile char *)((long)table + 1000); return table[n]; }
SEC("socket") REJECT("write into map forbidden") int constant_written(struct __sk_buff *skb) { *(volatile int *)&limit = 1; return 0; }
SEC("socket") ACCEPT int variable_written(struct __sk_buff *skb) { counter += 1; return 0; }
SEC("socket") REJECT("math between map_value pointer and register with unbounded min value is not allowed") int variable_as_an_index(struct __sk_buff *skb) { return ((volatile char *)table)[counter]; }
SEC("socket") ACCEPT int variable_as_an_index_checked(struct __sk_buff *skb) { unsigned long n = counter; return n < 64 ? ((volatile char *)table)[n] : 0; }

// ---- format strings ----

SEC("tracepoint") ACCEPT SAYS("5.10 reject") int format_in_constants(void *ctx) { static const char text[] = "%d"; char out[16]; __u64 n[1] = {5}; bpf_snprintf(out, sizeof out, text, n, sizeof n); return 0; }
SEC("tracepoint") REJECT("Invalid format string") int format_of_too_many(void *ctx) { static const char text[] = "%d %d"; char out[16]; __u64 n[1] = {5}; bpf_snprintf(out, sizeof out, text, n, sizeof n); return 0; }
SEC("tracepoint") REJECT("R3 type=fp expected=map_value") int format_on_the_stack(void *ctx) { char text[8] = "%d"; char out[16]; __u64 n[1] = {5}; bpf_snprintf(out, sizeof out, text, n, sizeof n); return 0; }
