enum e { A, B = 5, C, D = A + 2 }; enum negative { N = -1, P = 7 }; enum wide_enum { W = 0x100000000UL };
