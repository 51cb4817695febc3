// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A security hook whose return value may be replaced; zero leaves it be.
#include "hits.h"

COUNTED("fmod_ret/security_file_open", hook, 0)
