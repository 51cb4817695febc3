struct bits_after { char a; long b : 3; }; struct wide { u64 a : 60; u64 b : 10; };
