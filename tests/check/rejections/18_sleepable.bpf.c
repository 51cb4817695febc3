// A helper that may sleep, where sleeping is forbidden
// Programs that may sleep say so by their section: "fentry.s", "lsm.s", "iter.s", "syscall".
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char name[16];

SEC("raw_tp/sys_enter")
int sleepable(struct bpf_raw_tracepoint_args *ctx) {
  bpf_copy_from_user(name, sizeof(name), (void *)ctx->args[0]);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
