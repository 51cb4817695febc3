// One good program and five that are broken, each in its own way.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 16);
  __type(key, __u32);
  __type(value, __u64);
} counts SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

char buf[64];

SEC("tc")
int good(struct __sk_buff *skb) {
  __u32 key = skb->len & 15;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (count) __sync_fetch_and_add(count, 1);
  return 0;
}

SEC("tc")
int no_null_check(struct __sk_buff *skb) {
  __u32 key = skb->len;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  *count += 1;
  return 0;
}

SEC("tc")
int no_bound(struct __sk_buff *skb) {
  __u32 n = skb->mark;
  buf[n] = 1;
  return 0;
}

SEC("xdp")
int no_packet_end(struct xdp_md *ctx) {
  struct ethhdr *eth = (void *)(long)ctx->data;
  return eth->h_proto ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int no_release(struct __sk_buff *skb) {
  __u32 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (event) *event = skb->len;
  return 0;
}

SEC("xdp")
int wrong_helper(struct xdp_md *ctx) {
  return bpf_skb_pull_data((void *)ctx, 14) ? XDP_DROP : XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
