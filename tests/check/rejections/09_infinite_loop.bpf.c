// A loop without an end in sight
// The kernel follows a loop turn by turn until it ends: there must be something that ends it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int infinite_loop(struct __sk_buff *skb) {
  __u32 mark = skb->mark;
  while (mark != 7) asm volatile("" : "+r"(mark));
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
