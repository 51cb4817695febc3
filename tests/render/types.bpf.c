// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Variables of every type in types.h, so that its BTF is kept.
#include "types.h"

#define KEEP(type, name) type name = {0}

KEEP(struct scalars, a_scalars);
KEEP(struct names, a_names);
KEEP(struct bits, a_bits);
KEEP(struct network, a_network);
KEEP(struct times, a_times);
KEEP(struct nested, a_nested);
KEEP(struct event, a_event);
KEEP(struct flow_key, a_flow_key);
KEEP(struct flow_value, a_flow_value);
KEEP(struct hist, a_hist);
struct hist some_hists[3] = {0};
KEEP(counter_t, a_counter);
KEEP(buckets_t, a_hist_us);
struct flexible *a_flexible;
struct flexible_numbers *a_flexible_numbers;
