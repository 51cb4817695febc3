// A context pointer that was moved
// Fields are read at fixed offsets of the context itself: a loop over them must be written out.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int modified_context(struct __sk_buff *skb) {
  __u32 *word = (void *)skb, i = skb->mark & 3;
  asm volatile("%0 += %1" : "+r"(word) : "r"((__u64)i * 4));
  return *word & 1;
}
char LICENSE[] SEC("license") = "GPL";
