// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets at a netfilter hook.
#include "hits.h"

#define NF_ACCEPT 1
COUNTED("netfilter", packets, NF_ACCEPT)
