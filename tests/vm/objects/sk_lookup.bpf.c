// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Connections for which a socket is looked up.
#include "hits.h"

COUNTED("sk_lookup", lookups, SK_PASS)
