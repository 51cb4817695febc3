// Every construct, compiled, verified by the running kernel, and run where a test-run can: what maps hold afterwards.
#include <cstdlib>

#include "compile.hpp"
#include "kernel/capabilities.hpp"

#define SKIP_WITHOUT_BPF()                                                                                                      \
  do {                                                                                                                          \
    if (!kernel::missing({kernel::Capability::bpf, kernel::Capability::perfmon}).empty()) GTEST_SKIP() << "needs CAP_BPF, CAP_PERFMON"; \
  } while (false)

namespace espy::trace {
namespace {

// Compiled and accepted by the verifier.
class Loads : public testing::TestWithParam<const char*> {};

TEST_P(Loads, IsAccepted) {
  SKIP_WITHOUT_BPF();
  const Trial trial(GetParam());
  ASSERT_TRUE(trial.compiled) << trial.problem << "\n" << trial.ir;
  const auto object = load(*trial.compiled);
  ASSERT_TRUE(object.has_value()) << describe(object.error()) << "\n" << trial.optimised << "\n" << disassembly(trial.compiled->object);
}

INSTANTIATE_TEST_SUITE_P(Scripts, Loads, testing::Values(
    "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
    "begin { printf(\"hi %d\\n\", 1); exit(); }",
    // where programs run, and what they are given
    "tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); }",
    "tracepoint:syscalls:sys_enter_* { @[probe] = count(); }",
    "tracepoint:syscalls:sys_enter_read, tracepoint:syscalls:sys_enter_write { @[args.fd] = sum(args.count); }",
    "tracepoint:syscalls:sys_exit_read /args.ret > 0/ { @bytes = hist(args.ret); }",
    "tracepoint:syscalls:sys_enter_read { @start[tid] = nsecs; } "
    "tracepoint:syscalls:sys_exit_read /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }",
    "tracepoint:sched:sched_switch { @[args.prev_comm, args.next_pid] = count(); }",
    "tracepoint:sched:sched_process_exec { printf(\"%s\\n\", str(args.filename)); }",
    "rawtracepoint:sched_switch { @[args.prev.comm] = count(); }",
    "rawtracepoint:sys_enter { @[arg1] = count(); }",
    "profile:hz:99 { @[kstack] = count(); }",
    "profile:hz:99 { @[ustack(5), comm] = count(); }",
    "profile:hz:99 /pid/ { @[pid, kstack(perf, 3), ustack(raw, 3)] = count(); }",
    "interval:s:1 { print(@x); clear(@x); zero(@x); time(\"%H\"); } begin { @x[1] = 1; }",
    "software:page-faults:1 { @[comm, cpu] = count(); }",
    "uprobe:/bin/bash:readline { @[arg0, usym(arg0)] = count(); }",
    "uretprobe:/bin/bash:readline { printf(\"%s\\n\", str(retval)); }",
    "iter:task { printf(\"%s %d\\n\", ctx.task.comm, ctx.task.pid); }",
    "begin { @[curtask.pid, curtask.real_parent.tgid, curtask.comm] = 1; }",
    "begin { print((ppid, pcomm, uid, gid, username, cgroup, cpu, numaid, rand, jiffies, elapsed, ncpus, probe)); }",
    // values
    "begin { $s = str(0, 200); @[$s] = 1; @v = $s; print(@v); print($s); }",
    "begin { @[1, \"two\", (3, 4)] = (1, \"x\"); print(@[1, \"two\", (3, 4)]); }",
    "begin { $t = (1, \"two\", 3); print($t.1); print($t); @ = $t.0; }",
    "begin { $r = (color=\"red\", size=3); print($r.color); print($r); }",
    "begin { @x = avg(3); @y = stats(4); @a = min(3); @b = max(4); @h = hist(5, 3); @l = lhist(5, 0, 100, 10); @k[1] = hist(3); @m[1] = lhist(3, 0, 10, 1); }",
    "begin { @s = \"text\"; @n = @s == \"text\"; if (comm == \"x\" || comm != \"y\") { @b = 1; } if (@s == comm) { @c = 1; } }",
    "begin { print(buf(curtask, 8)); }",
    // ways
    "begin { @x[1] = 1; for ($kv : @x) { print(($kv.0, $kv.1)); @sum += $kv.1; if ($kv.0 > 3) { break; } } }",
    "begin { for ($i : 0..100) { @ += $i; if ($i == 50) { return; } } print(1); }",
    "begin { @c[1] = count(); @c[2] = count(); for ($kv : @c) { @total += (int64)$kv.1; } if ((int64)@c[1] > 0) { @y = 1; } }",
    "begin { unroll(3) { @x++; } $i = 0; while ($i < 100) { $i++; if ($i > 5) { break; } } @i = $i; }",
    "fn add($a : int64, $b : int64) : int64 { return $a + $b; } begin { @ = add(1, 2); }",
    "let @a = lruhash(100); begin { @a[1] = 2; }"));

// What a begin probe leaves in the scalar map @.
struct Run {
  const char* script;
  std::int64_t expected;
};
class Leaves : public testing::TestWithParam<Run> {};

TEST_P(Leaves, InTheMap) {
  SKIP_WITHOUT_BPF();
  const Trial trial(GetParam().script);
  ASSERT_TRUE(trial.compiled) << trial.problem << "\n" << trial.ir;
  const auto object = load(*trial.compiled);
  ASSERT_TRUE(object.has_value()) << describe(object.error()) << "\n" << trial.optimised << "\n" << disassembly(trial.compiled->object);
  const auto ran = run_begin(*object, *trial.compiled);
  ASSERT_TRUE(ran.has_value()) << describe(ran.error());
  EXPECT_EQ(element(*object, *trial.compiled, "AT_"), GetParam().expected) << trial.optimised << "\n" << disassembly(trial.compiled->object);
}

INSTANTIATE_TEST_SUITE_P(Begin, Leaves, testing::Values(
    Run{"begin { @ = 1 + 2 * 3; }", 7},
    Run{"begin { $x = 5; if ($x > 3) { $x = 10; } else { $x = 20; } @ = $x; }", 10},
    Run{"begin { $i = 0; while ($i < 10) { $i++; if ($i == 5) { continue; } @ += $i; } }", 50},
    Run{"begin { @ = count(); @ = count(); }", 2},
    Run{"begin { @ = sum(5); @ = sum(-7); }", -2},
    Run{"begin { @x[1] = 5; @x[1] += 2; @x[2]++; @ = @x[1] * 10 + @x[2]; }", 71},
    Run{"begin { @ = @nothing[5] + 3; @nothing[1] = 1; }", 3},
    Run{"begin { @x[1] = 1; delete(@x[1]); if (has_key(@x, 1)) { @ = 1; } else { @ = 2; } }", 2},
    Run{"begin { @x[1] = 1; if (@x[1]) { @ = 1; } }", 1},
    Run{"begin { @y++; @y++; $old = @y++; @ = $old; }", 2},
    Run{"begin { $i = 5; @ = $i++ + ++$i; }", 12},
    Run{"begin { @ = -7 / 2; }", -3},
    Run{"begin { $a = -7; $b = 2; @ = $a / $b * 100 + $a % $b; }", -301},
    Run{"begin { $a = 7; $b = 0; @ = $a / $b; }", 0},
    Run{"begin { @ = (uint8)300; }", 44},
    Run{"begin { $x = 200; @ = (int64)(int8)$x; }", -56},
    Run{"begin { $x = (int32)-1; @ = $x >> 4; }", -1},
    Run{"begin { $x = (uint32)5; @ = $x << 3; }", 40},
    Run{"begin { $x = 3; @ = $x > 2 && $x < 5 ? 10 : 20; }", 10},
    Run{"begin { $x = 0; @ = $x ?: 9; }", 9},
    Run{"begin { $x = 0; if ($x || !$x) { @ = 4; } }", 4},
    Run{"begin { unroll(4) { @ += 2; } }", 8},
    Run{"begin { for ($i : 0..5) { @ += $i; } }", 10},
    Run{"begin { for ($i : 0..100) { if ($i == 10) { continue; } if ($i > 20) { break; } @ += $i; } }", 200},
    Run{"begin { $n = 0; for ($i : 0..50) { $n += $i; } @ = $n; }", 1225},
    Run{"begin { for ($i : 0..50) { for ($j : 0..20) { @ += 1; } } }", 1000},
    Run{"begin { for ($i : 0..50) { if ($i == 10) { return; } @ += 1; } @ += 1000; }", 10},
    Run{"begin { @x[1] = 10; @x[2] = 20; for ($kv : @x) { @ += $kv.0 + $kv.1; } }", 33},
    Run{"begin { @c[1] = count(); @c[1] = count(); @c[7] = count(); for ($kv : @c) { @ += (int64)$kv.1; } }", 3},
    Run{"begin { @s = sum(5); @s = sum(6); @ = (int64)@s; }", 11},
    Run{"begin { @m = max(5); @m = max(16); @n = min(3); @n = min(9); @ = (int64)@m * 100 + (int64)@n; }", 1603},
    Run{"begin { $s = \"abc\"; if ($s == \"abc\") { @ = 1; } if ($s == \"abd\") { @ = 2; } }", 1},
    Run{"begin { @s[1] = \"abc\"; if (@s[1] == \"abc\") { @ = 1; } }", 1},
    Run{"begin { @k[\"abc\", 1] = 5; @k[\"ab\", 1] = 6; @ = @k[\"abc\", 1] * 10 + @k[\"ab\", 1]; }", 56},
    Run{"begin { $t = (1, (2, \"x\")); @ = $t.1.0; }", 2},
    Run{"begin { $r = (a=1, b=\"s\"); @ = $r.a; }", 1},
    Run{"begin { @t[1] = (5, \"x\"); @ = @t[1].0; }", 5},
    Run{"fn add($a : int64, $b : int64) : int64 { if ($a > 10) { return 0; } return $a + $b; } begin { @ = add(1, 2) + add(11, 5); }", 3},
    Run{"begin { $a = { let $b = 3; $b * 2 }; @ = $a; }", 6},
    Run{"begin { @ = (int64)(pid > 0); }", 1},
    Run{"begin { if (comm == \"no such name\") { @ = 7; } else { @ = 8; } }", 8},
    Run{"begin { @ = (int64)(curtask.tgid == pid); }", 1},
    Run{"begin { $x = 5; $p = &$x; @ = *$p; }", 5}));

// A script from the environment, for looking at what becomes of it.
TEST(Look, AtOne) {
  const char* text = std::getenv("ESPY_SCRIPT");
  if (text == nullptr) GTEST_SKIP() << "ESPY_SCRIPT is not set";
  const Trial trial(text);
  std::printf("%s\n%s\n%s\n", trial.problem.c_str(), trial.ir.c_str(), trial.optimised.c_str());
  if (!trial.compiled) return;
  std::printf("%s", disassembly(trial.compiled->object).c_str());
  const auto object = load(*trial.compiled);
  if (!object) std::printf("%s\n", describe(object.error()).c_str());
  else std::printf("loaded\n");
}

}  // namespace
}  // namespace espy::trace
