// A helper called while a lock is held
// Between bpf_spin_lock and bpf_spin_unlock no helper may be called: do it before or after.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct slot {
  struct bpf_spin_lock lock;
  __u64 last;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct slot);
} slots SEC(".maps");

SEC("tc")
int lock_held(struct __sk_buff *skb) {
  __u32 key = 0;
  struct slot *slot = bpf_map_lookup_elem(&slots, &key);
  if (!slot) return 0;
  bpf_spin_lock(&slot->lock);
  slot->last = bpf_ktime_get_ns();
  bpf_spin_unlock(&slot->lock);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
