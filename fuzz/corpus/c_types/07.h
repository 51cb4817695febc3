struct bits { int a : 3; unsigned b : 5; int : 2; u64 c : 40; char d; int e : 7; int : 0; int f : 1; u8 g : 4; u8 h : 4; };
