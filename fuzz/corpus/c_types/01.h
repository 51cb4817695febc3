struct plain { char a; short b; int c; long d; char e; };
