// A packet read without looking where it ends
// Packets are as long as they are: `data_end` must be compared with before bytes are read.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int packet_bounds(struct xdp_md *ctx) {
  struct ethhdr *eth = (void *)(long)ctx->data;
  return eth->h_proto == 0x0608 ? XDP_DROP : XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
