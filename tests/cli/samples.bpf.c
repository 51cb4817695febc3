// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts samples, and keeps the period.
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>

__u64 samples, period, address;

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	samples++;
	period = ctx->sample_period;
	address = ctx->regs.rip;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
