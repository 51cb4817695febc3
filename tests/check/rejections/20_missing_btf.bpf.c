// A kernel function that this kernel has not
// What a program attaches to by type, and what it calls, must be in the kernel's BTF.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_no_such_function(int number) __ksym;

SEC("syscall")
int missing_btf(void *ctx) {
  return bpf_no_such_function(1);
}
char LICENSE[] SEC("license") = "GPL";
