// A kernel function's rules
// A task that was acquired must be released, and what was acquired may be NULL.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct task_struct {
  int pid;
} __attribute__((preserve_access_index));
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

int first;

SEC("syscall")
int kfunc_reference(void *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  first = task->pid;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
