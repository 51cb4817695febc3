// A program of more instructions than the kernel takes
// Kernels before 5.2 take 4096 instructions; later ones a million, from those who have the privileges.
// kernel: 5.1
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int too_large(struct __sk_buff *skb) {
  __u64 sum = skb->len;
  asm volatile(".rept 5000; %0 += 3; .endr" : "+r"(sum));
  return sum & 1;
}
char LICENSE[] SEC("license") = "GPL";
