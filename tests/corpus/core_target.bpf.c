// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The made-up kernel that the core_ programs are resolved against; never loaded.
#include "corpus.h"

#undef PAI
#define PAI
struct moved { long before; char name[16]; short third; short pad; long second; int first; };
struct resized { unsigned long grows; unsigned int shrinks; unsigned short to_short; };
struct signs { unsigned char was_signed; short was_unsigned; int same; };
struct bits { int front; int plain; unsigned long d : 40; int c : 10; unsigned b : 9; unsigned a : 2; };
struct in { char gap[3]; short y; long x; };
struct nest {
  long pad;
  union { struct { int deep; struct { long other; int either; }; int inside; }; long all[5]; };
  struct in list[6];
  struct in table[2][4];
  int head;
  struct in *next;
  union { char raw[16]; struct in named; } u;
};
struct flexible { long count; int more; struct in items[]; };
struct flat { struct { struct { int either; }; int inside; }; };
struct things { void *pointer; int number; int array[5]; struct { long b; int a; } part; enum { X1, X2 } choice; };
typedef long known_typedef;
typedef struct { long b; int a; } anonymous_typedef;
typedef int (*known_function)(int, void *);
typedef int (*changed_function)(int, int);
union one_of { long b; int a; char c[24]; };
union was_union { int a; };
enum some_enum { SOME_OTHER = 4 };
struct match_same { struct list_head *p; int a; int extra; };
struct match_more { int b; int a; };
struct match_wrong { int a; };
struct match_missing { int something; };
struct match_nested { int list[4]; struct match_same in; struct match_same *to; };
union match_union { int a; char b; long c; };
enum match_enum { MATCH_B = 5, MATCH_A = 6, MATCH_Z = 7 };
enum match_enum_more { MATCH_D, MATCH_E };
typedef int (*match_proto)(int x, struct match_same *y);
typedef int match_int;
enum numbers { NUMBER_TWO = 22, NUMBER_ONE = 11 };
enum wide { WIDE_NEGATIVE = -5LL, WIDE_BIG = 0x7edcba9876543210LL };
enum grew { GREW = 0x1234567812345678ULL };
enum negative { NEGATIVE = -77 };
struct widths { long s_grows; unsigned long u_grows; void *pointer; short array[2]; };
struct everything {
  struct moved *a; struct resized *b; struct signs *c; struct bits *d; struct nest *e; struct flexible *f; struct flat *g;
  struct things *h; known_typedef i; anonymous_typedef j; known_function k; changed_function l; union one_of *m;
  union was_union *n; enum some_enum o; struct match_same *p; struct match_more *q; struct match_wrong *r;
  struct match_missing *s; struct match_nested *t; union match_union *u; enum match_enum v; enum match_enum_more w;
  match_proto x; match_int y; enum numbers z; enum wide a2; enum grew b2; enum negative c2; struct widths *d2;
  struct task_struct *e2;
};
/* Two files of a kernel may each have a type of the same name. */
__noinline int one_file(void) {
  static volatile struct twins { int same; int moved; long one_only; } t;
  static volatile struct halves { long gap; int first; } h;
  return t.moved++ + h.first++;
}
__noinline int another_file(void) {
  static volatile struct twins { int same; long gap; int moved; } t;
  static volatile struct halves { int first; int second; } h;
  return t.moved++ + h.second++;
}
SEC("raw_tp/none") int holds_types(struct everything *all) { return all->y + one_file() + another_file(); }
