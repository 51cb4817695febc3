// A loop that takes too long to follow
// A million instructions are followed, every turn of every loop counted. bpf_loop() and iterators are followed once.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 sum;

SEC("tc")
int too_complex(struct __sk_buff *skb) {
  __u64 total = 0;
  for (__u32 i = 0; i < 1000000; ++i) {
    asm volatile("%0 += %1" : "+r"(total) : "r"(i));
  }
  sum = total;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
