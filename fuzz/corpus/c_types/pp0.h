#define A 5
#define B (A + 1)
#define C "text" "more\n"
#define D 0xffffffffffffffffUL
#define F(x) ((x) * 2)
#define G F(B)
#define E
#define H do_something()
#define I 'a'
#define J -3
#define K (1 << 4 | 3)
#define L sizeof(int)
#define M ((unsigned char)300)
#define N A
#undef A
#define A 7
enum { X = 3, Y };
#define Z Y
