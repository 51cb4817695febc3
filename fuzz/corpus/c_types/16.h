#define LEN 4
struct sized { char a[LEN * sizeof(long)]; int b[sizeof(struct plain)]; char c[(LEN > 3) ? 2 : 9]; };
