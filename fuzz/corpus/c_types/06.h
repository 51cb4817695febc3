struct nested { struct { int a; union { char b; long c; }; } d; struct plain e[2][3]; bytes f; };
