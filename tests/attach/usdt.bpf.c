// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "count.h"
#include <bpf/usdt.bpf.h>

__u64 usdt_hits, guarded_hits;
long first, second, third, guarded_value;
int argument_count;
long user_cookie;

SEC("usdt") int BPF_USDT(on_plain, long a, long b, long c)
{
	HIT(usdt_hits);
	first = a;
	second = b;
	third = c;
	argument_count = bpf_usdt_arg_cnt(ctx);
	user_cookie = bpf_usdt_cookie(ctx);
	return 0;
}

SEC("usdt") int BPF_USDT(on_guarded, long value)
{
	HIT(guarded_hits);
	guarded_value = value;
	return 0;
}
