// Code that nothing leads to
// Every instruction must be reachable as the program is written, whatever its conditions say.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int dead_code(struct __sk_buff *skb) {
  asm volatile("r0 = 0; exit; r0 = 1;" : : : "r0");
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
