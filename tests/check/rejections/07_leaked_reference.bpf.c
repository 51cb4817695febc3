// A reference that is not given back
// What a helper acquires (a socket, a ring buffer's record) must be released on every path to the end.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

SEC("tc")
int leaked_reference(struct __sk_buff *skb) {
  __u32 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  if (skb->len < 64) return 0;
  *event = skb->len;
  bpf_ringbuf_submit(event, 0);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
