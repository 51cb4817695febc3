struct aligned { char a; int b __attribute__((aligned(16))); char c; } __attribute__((aligned(32)));
