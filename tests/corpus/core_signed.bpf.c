// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Against the made-up target: signed fields, whose loads extend the sign, that move or change size.
#include "corpus.h"

struct signs { signed char was_signed; int same; } PAI;
struct moved { int first; short third; } PAI;
long out[4];
SEC("tp_btf/sys_enter") int BPF_PROG(same_size, struct signs *s, struct moved *m) { out[0] = s->same; out[1] = m->third; out[2] = m->first; return 0; }
SEC("tp_btf/sys_enter") int BPF_PROG(other_sign, struct signs *s) { out[3] = s->was_signed; return 0; }
