// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Enumerators of the running kernel: values that moved, that are missing, typedefs.
#include "corpus.h"

enum bpf_prog_type___x { BPF_PROG_TYPE_XDP___x = 77, BPF_PROG_TYPE_ESPY___x = 5 };
enum espy_missing { ESPY_MISSING_ONE = 1 };
typedef unsigned int gfp_t___x;
__u64 out[6];
SEC("raw_tp/sys_enter") int enums(void *ctx) {
  out[0] = bpf_core_enum_value(enum bpf_prog_type, BPF_PROG_TYPE_XDP);
  out[1] = bpf_core_enum_value_exists(enum bpf_prog_type___x, BPF_PROG_TYPE_XDP___x) * 4 + bpf_core_enum_value_exists(enum bpf_prog_type___x, BPF_PROG_TYPE_ESPY___x);
  out[2] = bpf_core_enum_value_exists(enum espy_missing, ESPY_MISSING_ONE);
  if (bpf_core_enum_value_exists(enum espy_missing, ESPY_MISSING_ONE)) out[3] = bpf_core_enum_value(enum espy_missing, ESPY_MISSING_ONE);
  out[4] = bpf_core_type_exists(gfp_t___x) + bpf_core_type_size(gfp_t___x);
  out[5] = bpf_core_enum_value(enum bpf_prog_type___x, BPF_PROG_TYPE_XDP___x);
  return 0;
}
