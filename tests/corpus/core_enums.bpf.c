// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: enumerators that moved, 64-bit ones, signed ones.
#include "corpus.h"

enum numbers { NUMBER_ONE = 1, NUMBER_TWO = 2, NUMBER_GONE = 3 };
enum numbers___x { NUMBER_TWO___x = 0 };
enum wide { WIDE_BIG = 0x123456789abcULL, WIDE_NEGATIVE = 1 };
enum grew { GREW = 1 };
enum negative { NEGATIVE = -1 };
__u64 out[12];
SEC("raw_tp/sys_enter") int values(void *ctx) {
  out[0] = bpf_core_enum_value(enum numbers, NUMBER_ONE);
  out[1] = bpf_core_enum_value(enum numbers, NUMBER_TWO);
  out[2] = bpf_core_enum_value_exists(enum numbers, NUMBER_GONE);
  out[3] = bpf_core_enum_value(enum numbers___x, NUMBER_TWO___x);
  out[4] = bpf_core_enum_value(enum wide, WIDE_BIG);
  out[5] = bpf_core_enum_value(enum grew, GREW);
  out[6] = bpf_core_enum_value(enum negative, NEGATIVE);
  if (bpf_core_enum_value_exists(enum numbers, NUMBER_GONE)) out[7] = bpf_core_enum_value(enum numbers, NUMBER_GONE);
  return 0;
}
