union u { char a; long b; char c[13]; };
