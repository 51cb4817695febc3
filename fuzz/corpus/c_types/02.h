struct packed { char a; int b; long c; short d; } __attribute__((packed));
