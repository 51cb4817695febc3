// An access past the end of a map's value
// The check lets one value too many through: index 16 is behind the last of 16.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct histogram {
  __u64 slots[16];
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct histogram);
} histograms SEC(".maps");

SEC("tc")
int map_value_bounds(struct __sk_buff *skb) {
  __u32 zero = 0, slot = skb->len;
  struct histogram *histogram = bpf_map_lookup_elem(&histograms, &zero);
  if (!histogram) return 0;
  if (slot > 16) slot = 16;
  histogram->slots[slot] += 1;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
