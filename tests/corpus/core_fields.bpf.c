// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: offsets, sizes, signs and shifts that changed.
#include "corpus.h"

struct moved { int first; long second; short third; char name[8]; } PAI;
struct resized { unsigned int grows; unsigned long shrinks; unsigned char to_short; } PAI;
struct signs { signed char was_signed; unsigned short was_unsigned; int same; } PAI;
struct bits { unsigned a : 3; unsigned b : 7; int c : 12; unsigned long d : 40; int plain; } PAI;
struct bits___other { unsigned plain : 4; int b; } PAI;
__u64 out[32];
SEC("tp_btf/sys_enter") int BPF_PROG(offsets, struct moved *m, struct resized *r) {
  out[0] = m->first + m->second + m->third;
  out[1] = m->name[3];
  out[2] = bpf_core_field_offset(m->third);
  out[3] = bpf_core_field_size(m->name) + bpf_core_field_size(m->first);
  out[4] = bpf_core_field_size(r->grows) + bpf_core_field_size(r->to_short);
  return 0;
}
SEC("tp_btf/sys_enter") int BPF_PROG(sizes, struct resized *r) {
  out[5] = r->grows;
  out[6] = r->shrinks;
  out[7] = r->to_short;
  return 0;
}
SEC("tp_btf/sys_enter") int BPF_PROG(stores, struct resized *r, struct moved *m) {
  m->second = 7;
  m->third = out[1];
  m->name[2] = 'x';
  return 0;
}
SEC("raw_tp/sys_enter") int signedness(struct bpf_raw_tracepoint_args *ctx) {
  struct signs *s = (void *)ctx->args[0];
  out[8] = __builtin_preserve_field_info(s->was_signed, BPF_FIELD_SIGNED);
  out[9] = __builtin_preserve_field_info(s->was_unsigned, BPF_FIELD_SIGNED);
  out[10] = __builtin_preserve_field_info(s->same, BPF_FIELD_SIGNED);
  return 0;
}
SEC("raw_tp/sys_enter") int bitfields(struct bpf_raw_tracepoint_args *ctx) {
  struct bits *b = (void *)ctx->args[0];
  struct bits___other *o = (void *)ctx->args[0];
  out[11] = BPF_CORE_READ_BITFIELD_PROBED(b, a);
  out[12] = BPF_CORE_READ_BITFIELD_PROBED(b, b);
  out[13] = BPF_CORE_READ_BITFIELD_PROBED(b, c);
  out[14] = BPF_CORE_READ_BITFIELD_PROBED(b, d);
  out[15] = BPF_CORE_READ_BITFIELD_PROBED(b, plain);
  out[16] = BPF_CORE_READ_BITFIELD_PROBED(o, plain);
  out[17] = BPF_CORE_READ_BITFIELD_PROBED(o, b);
  return 0;
}
SEC("tp_btf/sys_enter") int BPF_PROG(bitfields_direct, struct bits *b) {
  out[18] = BPF_CORE_READ_BITFIELD(b, b) + BPF_CORE_READ_BITFIELD(b, c) + BPF_CORE_READ_BITFIELD(b, d);
  return 0;
}
