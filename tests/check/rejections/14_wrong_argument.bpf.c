// An argument of another kind than the helper takes
// The map is given by address, the key by a pointer to it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u64);
  __type(value, __u64);
} counts SEC(".maps");

SEC("tc")
int wrong_argument(struct __sk_buff *skb) {
  __u64 key = skb->mark;
  return bpf_map_delete_elem(&counts, (void *)key) & 1;
}
char LICENSE[] SEC("license") = "GPL";
