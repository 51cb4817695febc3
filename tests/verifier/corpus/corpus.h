// What the compiled files of the corpus share: a program's verdict as tags, and macros for assembly.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/// The header fields of a program, as in a `.s` file: SAYS("reject: leaked"), SAYS("<6.1 accept").
#define SAYS(text) __attribute__((btf_decl_tag(text)))
#define ACCEPT SAYS("accept")
#define REJECT(message) SAYS("reject: " message)
/// A function of assembly alone: `asm volatile("…" ::: CLOBBERED)`.
#define NAKED __attribute__((naked))
#define CLOBBERED "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory"
