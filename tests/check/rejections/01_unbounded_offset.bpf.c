// An offset that nothing bounds
// An index comes from outside: here from a packet's mark. Whatever it may be must be known to be inside the buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char buf[64];

SEC("tc")
int unbounded_offset(struct __sk_buff *skb) {
  __u32 n = skb->mark;
  buf[n] = 1;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
