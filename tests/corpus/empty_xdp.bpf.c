// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The smallest program.
#include "corpus.h"

SEC("xdp")
int pass(struct xdp_md *ctx) { return XDP_PASS; }
