// Subprograms that are verified on their own, by the types of their arguments.
#include "corpus.h"

char LICENSE[] SEC("license") = "GPL";

__attribute__((noinline)) int scalar_argument(int n) { return n * 2; }

SEC("socket") ACCEPT int global_scalar(struct __sk_buff *skb) { return scalar_argument(skb->len); }
