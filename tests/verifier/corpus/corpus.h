// What the compiled files of the corpus share: a program's verdict as tags, and macros for assembly.
#pragma once

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

/// The header fields of a program, as in a `.s` file: SAYS("reject: leaked"), SAYS("<6.1 accept").
#define SAYS(text) __attribute__((btf_decl_tag(text)))
#define ACCEPT SAYS("accept")
#define REJECT(message) SAYS("reject: " message)

#define NOINLINE __attribute__((noinline))
#define STATIC static NOINLINE
/// Keeps the compiler from knowing a value.
#define HIDE(x) asm volatile("" : "+r"(x))
#define PAI __attribute__((preserve_access_index))

char corpus_license[] SEC("license") = "GPL";
