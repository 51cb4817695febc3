struct flexible { int n; char data[]; }; struct zero { int n; long z[0]; }; struct empty { };
