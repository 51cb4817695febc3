// A result that may be NULL
// A lookup finds nothing where the key is not in the map: the program must say what happens then.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u64);
} counts SEC(".maps");

SEC("tc")
int missing_null_check(struct __sk_buff *skb) {
  __u32 key = skb->ifindex;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  *count += 1;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
