// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "work.h"

struct work_data work_data;

#define PROGRAM(name) SEC("xdp") int do_##name(struct xdp_md *ctx) { return work_##name(); }
ALL_WORK(PROGRAM)

SEC("xdp") int do_parse(struct xdp_md *ctx) { return work_parse((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end); }

char LICENSE[] SEC("license") = "Dual BSD/GPL";
