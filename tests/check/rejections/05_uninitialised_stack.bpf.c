// Stack that was never written
// To old kernels, and to all without privileges, what a helper reads must have been written, padding of a struct included.
// kernel: 5.4
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key {
  __u8 protocol;
  __u32 address;
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, struct key);
  __type(value, __u64);
} seen SEC(".maps");

SEC("tc")
int uninitialised_stack(struct __sk_buff *skb) {
  struct key key;
  key.protocol = skb->protocol;
  key.address = skb->mark;
  __u64 one = 1;
  bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
