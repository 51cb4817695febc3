// A helper that this type of program may not call
// Each program type has its own helpers: an XDP program sees no socket buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int helper_not_allowed(struct xdp_md *ctx) {
  __u32 word = 0;
  bpf_skb_load_bytes(ctx, 0, &word, sizeof(word));
  return word ? XDP_DROP : XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
