// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Ten programs with CO-RE relocations, maps and global data, such as a small tracer has: what bench/load opens, links,
// loads and attaches.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PAI __attribute__((preserve_access_index))
struct mm_struct { unsigned long total_vm; } PAI;
struct css_set { int nr_tasks; } PAI;
struct signal_struct { int nr_threads; } PAI;
struct task_struct {
  int pid, tgid, prio, static_prio;
  char comm[16];
  struct task_struct *real_parent;
  struct mm_struct *mm;
  struct css_set *cgroups;
  struct signal_struct *signal;
  unsigned long long start_time, utime, stime, nvcsw, nivcsw;
} PAI;

const volatile int wanted_pid = 0;
__u64 seen, skipped;

struct event { int pid, parent; char comm[16]; __u64 time, pages; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 256 * 1024); } events SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1024); __type(key, int); __type(value, struct event); } last SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 16); __type(key, int); __type(value, __u64); } counts SEC(".maps");

static void count(int slot) {
  __u64 *value = bpf_map_lookup_elem(&counts, &slot);
  if (value) ++*value;
}

static __noinline int record(struct task_struct *task, int slot) {
  struct event *event;
  int pid = BPF_CORE_READ(task, pid);
  count(slot);
  if (wanted_pid && pid != wanted_pid) return __sync_fetch_and_add(&skipped, 1), 0;
  event = bpf_ringbuf_reserve(&events, sizeof *event, 0);
  if (!event) return 0;
  event->pid = pid;
  event->parent = BPF_CORE_READ(task, real_parent, tgid);
  event->pages = BPF_CORE_READ(task, mm, total_vm);
  event->time = BPF_CORE_READ(task, start_time);
  BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
  bpf_map_update_elem(&last, &pid, event, BPF_ANY);
  bpf_ringbuf_submit(event, 0);
  __sync_fetch_and_add(&seen, 1);
  return 0;
}
#define CURRENT ((struct task_struct *)bpf_get_current_task())

SEC("raw_tp/sched_process_exec") int on_exec(void *ctx) { return record(CURRENT, 0); }
SEC("raw_tp/sched_process_exit") int on_exit(void *ctx) { return record(CURRENT, 1); }
SEC("raw_tp/sched_process_fork") int on_fork(void *ctx) { return record(CURRENT, 2); }
SEC("tp_btf/sched_switch") int BPF_PROG(on_switch, int preempt, struct task_struct *prev, struct task_struct *next) {
  if (prev->prio == next->prio) count(3);
  return 0;
}
SEC("tp_btf/sched_wakeup") int BPF_PROG(on_wakeup, struct task_struct *task) {
  if (task->static_prio < 100) count(4);
  return 0;
}
SEC("tp_btf/signal_generate") int BPF_PROG(on_signal, int signal) { return count(5), 0; }
SEC("raw_tp/sys_enter") int on_enter(void *ctx) {
  if (BPF_CORE_READ(CURRENT, signal, nr_threads) > 1) count(6);
  return 0;
}
SEC("raw_tp/sys_exit") int on_return(void *ctx) {
  if (bpf_core_field_exists(CURRENT->nvcsw) && BPF_CORE_READ(CURRENT, nvcsw) > BPF_CORE_READ(CURRENT, nivcsw)) count(7);
  return 0;
}
SEC("tp_btf/task_rename") int BPF_PROG(on_rename, struct task_struct *task) {
  if (BPF_CORE_READ(task, cgroups, nr_tasks) > bpf_core_type_size(struct task_struct)) count(8);
  return 0;
}
SEC("tp_btf/task_newtask") int BPF_PROG(on_new, struct task_struct *task) {
  if (BPF_CORE_READ(task, utime) + BPF_CORE_READ(task, stime) > 0) count(9);
  return 0;
}
