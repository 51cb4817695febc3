// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The same by links, which kernels have since 6.6.
#include "hits.h"

#define TCX_NEXT -1
COUNTED("tcx/ingress", ingress, TCX_NEXT)
COUNTED("tcx/egress", egress, TCX_NEXT)
