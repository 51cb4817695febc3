// A helper for GPL-compatible programs, in one that is not
// The kernel looks at the section `license`.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int gpl_only(struct __sk_buff *skb) {
  bpf_printk("%d bytes", skb->len);
  return 0;
}
char LICENSE[] SEC("license") = "Proprietary";
