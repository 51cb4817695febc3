// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: does a type match, member by member?
#include "corpus.h"

struct match_same { int a; struct list_head *p; } PAI;
struct match_more___x { int a; } PAI;
struct match_wrong { long *a; } PAI;
struct match_missing { int nothing; } PAI;
struct match_nested { struct match_same in; struct match_same *to; int list[4]; } PAI;
union match_union { int a; char b; } PAI;
enum match_enum { MATCH_A = 1, MATCH_B = 2 };
enum match_enum_more___x { MATCH_C };
typedef int (*match_proto)(int a, struct match_same *b);
typedef int match_int;
__u64 out[16];
#define MATCHES(type) __builtin_preserve_type_info(*(typeof(type) *)0, 2)
SEC("raw_tp/sys_enter") int matches(void *ctx) {
  out[0] = MATCHES(struct match_same);
  out[1] = MATCHES(struct match_more___x);
  out[2] = MATCHES(struct match_wrong);
  out[3] = MATCHES(struct match_missing);
  out[4] = MATCHES(struct match_nested);
  out[5] = MATCHES(union match_union);
  out[6] = MATCHES(enum match_enum);
  out[7] = MATCHES(enum match_enum_more___x);
  out[8] = MATCHES(match_proto);
  out[9] = MATCHES(match_int);
  return 0;
}
