// Packet pointers from before a helper that may move the packet
// Some helpers change where the packet lies. Pointers must be read from the context again, and compared again.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int packet_lost(struct __sk_buff *skb) {
  struct ethhdr *eth = (void *)(long)skb->data;
  void *end = (void *)(long)skb->data_end;
  if ((void *)(eth + 1) > end) return 0;
  bpf_skb_pull_data(skb, 40);
  return eth->h_proto == 0x0608 ? 2 : 0;
}
char LICENSE[] SEC("license") = "GPL";
