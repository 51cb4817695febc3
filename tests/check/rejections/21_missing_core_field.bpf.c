// A field that this kernel's structure has not
// CO-RE looks every field up by name: ask with bpf_core_field_exists() where kernels differ.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct task_struct {
  int no_such_field;
} __attribute__((preserve_access_index));

SEC("raw_tp/sys_enter")
int missing_core_field(void *ctx) {
  struct task_struct *task = (void *)bpf_get_current_task();
  return BPF_CORE_READ(task, no_such_field) & 1;
}
char LICENSE[] SEC("license") = "GPL";
