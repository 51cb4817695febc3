// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets in the loopback device, before the network stack.
#include "hits.h"

COUNTED("xdp", packets, XDP_PASS)
