struct attributed { int *a; } __attribute__((preserve_access_index));
