struct __attribute__((packed, aligned(2))) both { char a; int b; char c; };
