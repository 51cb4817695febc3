#define CAT(a, b) a##b
#define STR(x) #x
#define XSTR(x) STR(x)
#define LIST(f, ...) f(__VA_ARGS__)
#define ADD(a, b) a + b
#define V1 CAT(1, 2)
#define V2 XSTR(V1)
#define V3 STR(V1 + x)
#define V4 LIST(ADD, 3, 4)
#define self self + 1
#define V5 self
#define OPT(a, ...) a, ##__VA_ARGS__
#define FIRST(a, ...) a
#define V6 FIRST(OPT(9))
#define LATER F2
#define F2(x) x * 3
#define V7 LATER(5)
