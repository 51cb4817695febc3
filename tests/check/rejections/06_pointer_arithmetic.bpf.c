// Arithmetic that a pointer does not take
// Pointers may be moved by what is added or subtracted; anything else makes an address that nobody can follow.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int pointer_arithmetic(struct __sk_buff *skb) {
  __u64 slot = 0, *p = &slot;
  asm volatile("%0 &= -16" : "+r"(p));
  return *p;
}
char LICENSE[] SEC("license") = "GPL";
