struct packed_bits { char a; int b : 17; long c : 40; short d : 3; } __attribute__((packed));
