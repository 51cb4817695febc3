struct declared; struct refers { struct declared *d; const volatile char *const s; unsigned long long int q; long unsigned r; };
