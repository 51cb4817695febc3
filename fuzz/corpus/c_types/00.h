typedef unsigned char u8; typedef unsigned long u64; typedef u8 bytes[7];
