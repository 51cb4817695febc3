// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A strong option that no kernel has: an error.
#include "corpus.h"

extern int CONFIG_ESPY_MUST_EXIST __kconfig;
SEC("socket") int asks(struct __sk_buff *skb) { return CONFIG_ESPY_MUST_EXIST; }
