// Scripts that between them use every form of the grammar, for the tests of parser and formatter.
#pragma once

#include <array>
#include <string_view>

namespace espy::trace {

inline constexpr std::array kGrammarCases = std::to_array<std::string_view>({
    "#!/usr/bin/env bpftrace\nBEGIN { printf(\"hi\\n\"); exit(); }",
    "#include <linux/sched.h>\n#define N 5\\\n + 1\nstruct a { int b; } __attribute__((packed));\nunion u { int x; }\nenum e { A, B };\nbegin { @ = N }",
    "config = { stack_mode=perf; max_map_keys=2 } begin { }",
    "import \"a.bt\"; import \"x.h\" import \"dir\"; begin { import \"stdlib/x.bpf.c\"; }",
    "let @a = lruhash(100); let @b = percpuhash(5) begin { @a = 1; }",
    "macro f($v, expr, @m) { $v = 1; @m[1] = expr; $v } begin { $x = 0; print(f($x, 1 + 2, @y)); }",
    "macro g() { print(1); } macro h(a,) { a }",
    "fn f($a : int64, $s : string[16]) : int64 { return $a + 1; } begin { print(f(2)); }",
    "name=kprobe:f { }",
    "kprobe:a,kprobe:b*, tracepoint:sched:sched_[a-z]* /pid == 1/ { @ = count() }",
    "uprobe:/bin/bash:readline /@x[tid]/ { delete(@x[tid]); }",
    "uprobe:./a.out:f, uprobe:lib/x.so:f, uprobe:/a/b:cpp:\"A::f(int, char)\", uprobe:\"/a b/c\":f { }",
    "profile:hz:99/pid == 1/{ @ = count(); }",
    "BEGIN/1/{ }",
    "uprobe:/proc/$1/exe:f+0x10, interval:s:$1 { }",
    "usdt:*:x, t:syscalls:* // comment\n /* more */ /1/ { }",
    "begin { // c\n /* d */ }",
    "begin { print($1 + $#); print(str($1 + 1)); print(getopt(\"n\", 1, \"d\")); }",
    "begin { if ($1 > 2) { } else if (pid) { } else { } if pid == 1 { } }",
    "begin { $x = pid ? 1 : 2; $y = pid ?: 3; $z = 1 ? 2 ? 3 : 4 : 5; }",
    "begin { $x = if (pid) { $y = 1; $y } else if pid == 2 { 2 } else { 3 }; print(if pid { 1 } else { 2 }); $z = { if (pid) { 1 } else { 2 } }; }",
    "begin { for ($kv : @m) { print($kv.0); } for $kv : @ { } for ($i : 0..10) { } for $i : $a..ncpus { } }",
    "begin { while ($i < 5) { $i++; continue; break } unroll(3) { --$i; } unroll $1 { } return; }",
    "begin { return 1 + 2; } begin { return }",
    "begin { $x = { $y = 1; $y + 1 }; $x = {1}; { $z = 1; } _ = f(); }",
    "begin { @x++; --@x[1]; @ += 1; $a -= 1; $a *= 2; $a /= 2; $a %= 2; $a &= 2; $a |= 2; $a ^= 2; $a <<= 2; $a >>= 2; }",
    "begin { delete(@m, 1); delete(@m[1, 2]); @a[1, \"b\"] = (1, (2, 3)); }",
    "begin { let $a : uint8 = 1; let $b; let $c = 2; let $d : struct task_struct *; let $e : string[64]; }",
    "begin { $p = (struct s *)arg0; $q = (struct s)1; $r = (int32)-1; $s = (typeof($p))1; $t = (int32[4])1; $u = (int32*[4])$p; }",
    "begin { $a = (unsigned long)$x; $b = (foo_t)$x; $c = (foo_t *)-1; $d = (u8)*$p; $e = (pid) - 1; $f = (pid) * 2; $g = (typeof($p) *)1 }",
    "begin { $t = (1,); $t = (); $t = (1, (2, \"a\"),); print($t.0.1); print($t[0]); }",
    "begin { $r = (color=\"x\", size=2); print($r.size); $r = (a=1,); }",
    "begin { $p = &$v; $q = &@m[1]; $r = *$p; $s = !$p; $t = ~$p; $u = -1; $w = - -1; }",
    "begin { $a = sizeof(struct x); $b = sizeof(uint64); $c = sizeof($a + 1); $d = sizeof(foo *); $e = offsetof(struct x, a.b); $f = offsetof(*$a, b) }",
    "begin { $a = typeof($b); print(typeinfo($a)); f(struct x, int32); container_of($p, struct task_struct, se); }",
    "begin { $a = 0x1f + 017 + 1e6 + 1_000 + 5u + 5UL + 5ull + 5l + 5LL; $t = 1ns + 2us + 3ms + 4s + 5m + 6h + 7d; }",
    "begin { print(\"\\n\\t\\r\\\\\\\"\\012\\x41\\a\\b\\f\\v\\'\"); }",
    "begin { args.f; args->f; args.f.g->h[1].i; pid(); comm(pid); }",
    "begin { $x = 1 + 2 * 3 << 1 < 5 == 1 & 2 ^ 3 | 4 && 5 || 6; $y = $a / $b % $c - $d >> 1 >= 2 != 3 <= 4 > 5; }",
});

}  // namespace espy::trace
