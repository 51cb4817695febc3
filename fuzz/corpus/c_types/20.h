typedef struct { int a; char b; } anonymous_t; struct uses { anonymous_t a; char b; anonymous_t c[2]; };
