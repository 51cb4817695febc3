// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: does it exist, and as what kind?
#include "corpus.h"

struct things___all { int number; void *pointer; int array[3]; struct { int a; } part; enum { E1 } choice; } PAI;
struct things___wrong { int *number; int pointer; int array; int part; int choice; int gone; } PAI;
struct absent { int x; } PAI;
typedef int known_typedef;
typedef int unknown_typedef;
typedef struct { int a; } anonymous_typedef;
typedef int (*known_function)(int, void *);
typedef int (*changed_function)(int);
union one_of { int a; long b; } PAI;
struct was_union { int a; } PAI;
enum some_enum { SOME_ONE = 1 };
__u64 out[40];
#define EXISTS(type, field) bpf_core_field_exists(((struct type *)0)->field)
SEC("raw_tp/sys_enter") int fields(void *ctx) {
  out[0] = EXISTS(things___all, number);
  out[1] = EXISTS(things___all, pointer);
  out[2] = EXISTS(things___all, array);
  out[3] = EXISTS(things___all, part);
  out[4] = EXISTS(things___all, choice);
  out[5] = EXISTS(things___wrong, number);
  out[6] = EXISTS(things___wrong, pointer);
  out[7] = EXISTS(things___wrong, array);
  out[8] = EXISTS(things___wrong, part);
  out[9] = EXISTS(things___wrong, choice);
  out[10] = EXISTS(things___wrong, gone);
  out[11] = EXISTS(absent, x);
  return 0;
}
SEC("raw_tp/sys_enter") int types(void *ctx) {
  out[12] = bpf_core_type_exists(struct absent);
  out[13] = bpf_core_type_exists(known_typedef);
  out[14] = bpf_core_type_exists(unknown_typedef);
  out[15] = bpf_core_type_exists(anonymous_typedef);
  out[16] = bpf_core_type_exists(known_function);
  out[17] = bpf_core_type_exists(changed_function);
  out[18] = bpf_core_type_exists(union one_of);
  out[19] = bpf_core_type_exists(struct was_union);
  out[20] = bpf_core_type_exists(enum some_enum);
  out[21] = bpf_core_type_size(struct things___all);
  out[22] = bpf_core_type_size(union one_of);
  out[23] = bpf_core_type_size(struct absent);
  out[24] = bpf_core_type_id_kernel(struct things___all);
  out[25] = bpf_core_type_id_kernel(struct absent);
  out[26] = bpf_core_type_id_local(struct absent);
  return 0;
}
