// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets at the traffic control point of the loopback device.
#include "hits.h"

#define TC_ACT_UNSPEC -1
COUNTED("tc", packets, TC_ACT_UNSPEC)
