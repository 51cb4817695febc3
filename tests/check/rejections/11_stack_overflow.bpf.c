// More stack than there is
// 512 bytes are all, those of the functions that call each other together. Larger things belong in a map.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int fill(char *to, __u32 byte) {
  char own[320];
  for (int i = 0; i < 320; ++i) own[i] = byte;
  asm volatile("" : : "r"(own) : "memory");
  return own[byte & 255] + to[0];
}

SEC("tc")
int stack_overflow(struct __sk_buff *skb) {
  char name[256] = {};
  asm volatile("" : : "r"(name) : "memory");
  return fill(name, skb->len) & 1;
}
char LICENSE[] SEC("license") = "GPL";
