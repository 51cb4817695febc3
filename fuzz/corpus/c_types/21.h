typedef int aligned_int __attribute__((aligned(8))); struct uses_aligned { char a; aligned_int b; };
