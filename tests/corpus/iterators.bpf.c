// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Iterators over maps, sleepable and not.
#include "corpus.h"

struct bpf_iter__bpf_map { struct bpf_iter_meta *meta; struct bpf_map *map; } PAI;
struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; struct bpf_map *map; void *key; void *value; } PAI;
int elements;
SEC("iter/bpf_map") int maps(struct bpf_iter__bpf_map *ctx) { if (ctx->map) elements++; return 0; }
SEC("iter/bpf_map_elem") int each(struct bpf_iter__bpf_map_elem *ctx) { if (ctx->key) elements += 2; return 0; }
SEC("iter.s/task") int sleepable(void *ctx) { return 0; }
