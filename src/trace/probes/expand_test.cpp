// Against the running kernel and this machine's files.
#include <gtest/gtest.h>
#include <unistd.h>

#include "trace/probes/arguments.hpp"
#include "trace/probes/target.hpp"

namespace espy::trace::probes {
namespace {

struct World {
  Machine machine = Machine::running();
  Result<std::vector<Target>> operator()(std::string_view text, ExpandOptions options = {}) {
    auto point = parse_attach_point(text);
    if (!point) return fail(ErrorKind::invalid_argument, "{}", point.error().message);
    auto expansion = expand(machine, *point, options);
    if (!expansion) return std::unexpected(expansion.error());
    return std::move(expansion->targets);
  }
};

#define NEED_TRACEFS(world) \
  if (auto t = (world).machine.tracepoints(); !t) GTEST_SKIP() << "no tracefs: " << t.error().message
#define NEED_BTF(world) \
  if (auto b = (world).machine.vmlinux(); !b) GTEST_SKIP() << "no kernel BTF: " << b.error().message

std::string names(const std::vector<Argument>& arguments) {
  std::string text;
  for (const Argument& a : arguments) text += (text.empty() ? "" : ", ") + a.spelling + " " + a.name;
  return text;
}

TEST(Expand, Tracepoints) {
  World world;
  NEED_TRACEFS(world);
  auto one = world("t:sched:sched_switch");
  ASSERT_TRUE(one) << describe(one.error());
  EXPECT_EQ(one->front().name, "tracepoint:sched:sched_switch");
  auto many = world("tracepoint:syscalls:sys_enter_*");
  ASSERT_TRUE(many);
  EXPECT_GT(many->size(), 300U);
  auto categories = world("tracepoint:s[ck]*:*");
  ASSERT_TRUE(categories);
  auto wrong = world("tracepoint:sched:sched_swich");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().hint, "did you mean sched:sched_switch?");
  EXPECT_EQ(world("tracepoint:shed:*").error().hint, "did you mean sched?");
  EXPECT_EQ(world("tracepoint:*:*").error().kind, ErrorKind::exhausted);
}

TEST(Expand, WhatIsMissingMayBeAllowed) {
  World world;
  NEED_TRACEFS(world);
  auto point = parse_attach_point("tracepoint:sched:nothing*");
  auto warned = expand(world.machine, *point, {.missing = MissingProbes::warn});
  ASSERT_TRUE(warned);
  EXPECT_TRUE(warned->targets.empty());
  EXPECT_EQ(warned->warnings.size(), 1U);
  EXPECT_TRUE(expand(world.machine, *point, {.missing = MissingProbes::ignore})->warnings.empty());
}

TEST(Expand, RecordsOfTracepoints) {
  World world;
  NEED_TRACEFS(world);
  auto target = world("tracepoint:sched:sched_wakeup");
  ASSERT_TRUE(target);
  auto set = arguments_of(world.machine, target->front());
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(names(set->arguments).substr(0, 34), "char[16] comm, pid_t pid, int prio");
}

TEST(Expand, RawTracepointsHaveTypedParameters) {
  World world;
  NEED_BTF(world);
  auto target = world("rawtracepoint:sched_switch");
  ASSERT_TRUE(target) << describe(target.error());
  EXPECT_EQ(target->front().name, "rawtracepoint:vmlinux:sched_switch");
  auto set = arguments_of(world.machine, target->front());
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_NE(names(set->arguments).find("struct task_struct * prev, struct task_struct * next"), std::string::npos) << names(set->arguments);
  EXPECT_EQ(set->numbered.size(), set->arguments.size());
  EXPECT_EQ(std::get<InContext>(set->numbered[1].source).offset, 8U);
  EXPECT_EQ(world("rawtracepoint:sched_swich").error().hint, "did you mean sched_switch?");
  EXPECT_NE(world("rt:sys_enter_open").error().hint.find("tracepoint:syscalls:sys_enter_open"), std::string::npos);
}

TEST(Expand, FunctionsOfTheKernelByBtf) {
  World world;
  NEED_BTF(world);
  auto target = world("fexit:vfs_read", {.must_attach = false});
  ASSERT_TRUE(target) << describe(target.error());
  EXPECT_EQ(target->front().name, "fexit:vmlinux:vfs_read");
  EXPECT_EQ(target->front().function, "vfs_read");
  auto set = arguments_of(world.machine, target->front());
  ASSERT_TRUE(set);
  EXPECT_EQ(names(set->arguments), "struct file * file, char * buf, size_t count, loff_t * pos");
  ASSERT_TRUE(set->result);
  EXPECT_EQ(set->result->spelling, "ssize_t");
  EXPECT_EQ(std::get<InContext>(set->result->source).offset, 32U);
  EXPECT_EQ(world("fentry:vfs_reed", {.must_attach = false}).error().hint, "did you mean vfs_read?");
  EXPECT_GT(world("fentry:vfs_r*", {.must_attach = false})->size(), 3U);
  auto kprobe = world("kprobe:vfs_read", {.must_attach = false});
  ASSERT_TRUE(kprobe);
  EXPECT_EQ(kprobe->front().name, "kprobe:vfs_read");
}

// Where the kernel has none, the error says why and what serves instead.
TEST(Expand, KprobesThatCannotBe) {
  World world;
  NEED_TRACEFS(world);
  if (::access("/sys/bus/event_source/devices/kprobe", F_OK) == 0) GTEST_SKIP() << "this kernel has kprobes";
  auto target = world("kprobe:vfs_read");
  ASSERT_FALSE(target);
  EXPECT_NE(target.error().message.find("this kernel has no kprobes"), std::string::npos);
  EXPECT_NE(target.error().hint.find("tracepoint:syscalls:sys_enter_read"), std::string::npos) << target.error().hint;
}

TEST(Expand, Iterators) {
  World world;
  NEED_BTF(world);
  auto target = world("iter:task");
  ASSERT_TRUE(target) << describe(target.error());
  auto set = arguments_of(world.machine, target->front());
  ASSERT_TRUE(set);
  EXPECT_EQ(set->btf->type(*set->context).name(), "bpf_iter__task");
  EXPECT_EQ(world("iter:taskk").error().hint, "did you mean task?");
}

constexpr int espy_expand_line = __LINE__ + 1;
extern "C" __attribute__((noinline, used)) int espy_expand_probe_me(int a) { return a + 1; }

TEST(Expand, FunctionsOfAProgram) {
  World world;
  std::string self = "/proc/self/exe";
  EXPECT_EQ(espy_expand_probe_me(1), 2);   // and so it is linked
  auto target = world("uprobe:" + self + ":espy_expand_probe_me");
  ASSERT_TRUE(target) << describe(target.error());
  EXPECT_EQ(target->front().name, "uprobe:/proc/self/exe:espy_expand_probe_me");
  const auto& probe = std::get<espy::probe::Uprobe>(target->front().probe);
  auto by_pattern = world("uprobe:" + self + ":espy_expand_probe_*");
  ASSERT_TRUE(by_pattern);
  EXPECT_EQ(std::get<espy::probe::Uprobe>(by_pattern->front().probe).offset, probe.offset);
  auto of_process = world("uprobe:espy_expand_probe_me", {.pid = ::getpid()});
  ASSERT_TRUE(of_process) << describe(of_process.error());
  EXPECT_EQ(std::get<espy::probe::Uprobe>(of_process->front().probe).offset, probe.offset);
  auto cpp = world("uprobe:" + self + ":cpp:\"espy::trace::probes::parse_attach_point\"");
  ASSERT_TRUE(cpp) << describe(cpp.error());
  EXPECT_EQ(cpp->size(), 1U);
  EXPECT_EQ(world("uprobe:" + self + ":espy_expand_prob_me").error().hint, "did you mean `espy_expand_probe_me`?");
  EXPECT_EQ(world("uprobe:espy_expand_probe_me").error().hint, "uprobe:BINARY:FUNCTION, or -p PID for the program that a process runs");
  auto set = arguments_of(world.machine, target->front());
  ASSERT_TRUE(set);
  EXPECT_EQ(set->numbered.size(), 10U);
}

TEST(Expand, LinesByDebugInformation) {
  World world;
  auto line = world(fmt::format("uprobe:/proc/self/exe@expand_test.cpp:{}", espy_expand_line));
  if (!line && line.error().message.find("debug") != std::string::npos) GTEST_SKIP() << "built without debug information";
  ASSERT_TRUE(line) << describe(line.error());
  EXPECT_TRUE(line->front().function.empty());
}

TEST(Expand, LibrariesByShortName) {
  World world;
  auto target = world("uprobe:libc:malloc");
  ASSERT_TRUE(target) << describe(target.error());
  EXPECT_NE(target->front().name.find("libc.so.6:malloc"), std::string::npos) << target->front().name;
  auto mapped = world("uprobe:*:malloc", {.pid = ::getpid()});
  EXPECT_TRUE(mapped) << describe(mapped.error());
}

TEST(Expand, EventsAndTimers) {
  World world;
  auto interval = world("interval:s:1");
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->front().name, "interval:s:1");
  if (World().machine.version() >= facts::KernelVersion{5, 10, 0}) {
    EXPECT_EQ(interval->front().prog_type, facts::ProgType::raw_tracepoint);
    EXPECT_TRUE(std::holds_alternative<espy::probe::Nothing>(interval->front().probe));
  } else {
    EXPECT_TRUE(std::get<espy::probe::PerfEvent>(interval->front().probe).one_cpu);
    EXPECT_EQ(std::get<espy::probe::PerfEvent>(interval->front().probe).period, 1'000'000'000U);
  }
  EXPECT_EQ(std::get<espy::probe::PerfEvent>(world("profile:hz:99")->front().probe).frequency, 99U);
  EXPECT_EQ(world("begin")->front().prog_type, facts::ProgType::raw_tracepoint);
}

}  // namespace
}  // namespace espy::trace::probes
