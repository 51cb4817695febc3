struct pointers { void *a; int (*f)(struct later *, int, ...); struct later **l; int (*arr[3])(void); int (*m)[4]; };
