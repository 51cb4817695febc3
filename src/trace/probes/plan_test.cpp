// Which programs serve which targets, on the running kernel's names and types.
#include <gtest/gtest.h>

#include <set>

#include "facts/syscall_events.hpp"
#include "trace/probes/derive.hpp"
#include "trace/probes/plan.hpp"

namespace espy::trace::probes {
namespace {

constexpr Abilities kAll{.raw_tracepoints = true, .tp_btf = true, .raw_cookies = true, .event_cookies = true,
                         .kprobe_multi = true, .uprobe_multi = true};

class Planning : public testing::Test {
 protected:
  void SetUp() override {
    if (auto t = machine.tracepoints(); !t) GTEST_SKIP() << "no tracefs: " << t.error().message;
    if (auto b = machine.vmlinux(); !b) GTEST_SKIP() << "no kernel BTF: " << b.error().message;
  }
  std::vector<Instance> plan(std::vector<std::string_view> points, const Needs& needs = {}, const Abilities& abilities = kAll) {
    std::vector<Target> targets;
    for (std::string_view text : points) {
      auto expansion = expand(machine, parse_attach_point(text).value(), {.must_attach = false});
      EXPECT_TRUE(expansion) << describe(expansion.error());
      if (expansion) std::ranges::move(expansion->targets, std::back_inserter(targets));
    }
    auto instances = group(machine, std::move(targets), needs, abilities);
    EXPECT_TRUE(instances) << describe(instances.error());
    return instances ? std::move(*instances) : std::vector<Instance>{};
  }
  Machine machine = Machine::running();
};

TEST_F(Planning, AllSystemCallsAreOneProgram) {
  auto instances = plan({"tracepoint:syscalls:sys_enter_*"}, {.probe = true});
  ASSERT_EQ(instances.size(), 1U);
  const Instance& all = instances.front();
  EXPECT_EQ(all.which, Which::syscall);
  EXPECT_EQ(all.attach_target, "sys_enter");
  EXPECT_GT(all.targets.size(), 300U);
  EXPECT_EQ(all.syscalls.size(), all.targets.size());
  EXPECT_EQ(all.attachments.size(), 1U);
  for (const SyscallCase& one : all.syscalls) {
    const auto& place = std::get<espy::probe::Tracepoint>(all.targets[one.target].probe);
    EXPECT_EQ(facts::syscall_number_of_event(place.name.substr(10)), one.number);
  }
}

// Each event of the kernel is a call that we know by number: a call that is missing would keep its own tracepoint.
TEST_F(Planning, EverySystemCallHasItsNumber) {
  for (const auto& name : **machine.tracepoints()) {
    if (name.category != "syscalls" || !name.name.starts_with("sys_enter_")) continue;
    EXPECT_TRUE(facts::syscall_number_of_event(name.name.substr(10))) << name.name;
  }
}

TEST_F(Planning, EntersAndExitsAreTwo) {
  auto instances = plan({"t:syscalls:sys_enter_open*", "t:syscalls:sys_exit_open*", "begin"});
  ASSERT_EQ(instances.size(), 3U);
  EXPECT_EQ(instances[1].attach_target, "sys_exit");
  EXPECT_TRUE(instances[2].attachments.empty());
}

TEST_F(Planning, FieldsOfSystemCallsAreRegisters) {
  auto instances = plan({"t:syscalls:sys_enter_openat"}, {.fields = {"filename", "__syscall_nr"}});
  ASSERT_EQ(instances.size(), 1U);
  const ArgumentSet& set = instances.front().arguments;
  ASSERT_EQ(set.arguments.size(), 2U);
  EXPECT_EQ(std::get<Behind>(set.arguments[0].source).steps, std::vector{*syscall_register(1)});
  EXPECT_EQ(std::get<InContext>(set.arguments[1].source).offset, 8U);
  EXPECT_TRUE(set.typed_pointers);
  auto exits = plan({"t:syscalls:sys_exit_openat"}, {.fields = {"ret"}});
  EXPECT_EQ(std::get<InContext>(exits.front().arguments.arguments[0].source).offset, 8U);
  EXPECT_TRUE(exits.front().arguments.arguments[0].is_signed);
}

// read and write pass their count in the same register; sendto passes a `len`.
TEST_F(Planning, CallsThatPassAFieldAlikeShareAProgram) {
  auto instances = plan({"t:syscalls:sys_enter_read", "t:syscalls:sys_enter_write"}, {.fields = {"count"}});
  EXPECT_EQ(instances.size(), 1U);
  auto differing = plan({"t:syscalls:sys_enter_read", "t:syscalls:sys_enter_openat"}, {.fields = {"fd"}});
  EXPECT_EQ(differing.size(), 2U);   // openat has none: its own tracepoint, where the checker says so
  EXPECT_EQ(differing[1].prog_type, facts::ProgType::tracepoint);
}

TEST_F(Planning, OldKernelsSeeSystemCallsUntyped) {
  auto instances = plan({"t:syscalls:sys_enter_read"}, {.fields = {"fd"}}, {.raw_tracepoints = true});
  EXPECT_EQ(instances.front().prog_type, facts::ProgType::raw_tracepoint);
  EXPECT_FALSE(instances.front().arguments.typed_pointers);
  EXPECT_EQ(plan({"t:syscalls:sys_enter_read"}, {}, {.raw_tracepoints = false}).front().prog_type, facts::ProgType::tracepoint);
}

TEST_F(Planning, TracepointsBecomeRaw) {
  auto instances = plan({"t:sched:sched_switch"}, {.fields = {"next_pid", "prev_comm"}});
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances.front().attach_target, "sched_switch");
  EXPECT_EQ(std::get<Behind>(instances.front().arguments.arguments[0].source).offset, 16U);
  // The state is computed, not copied.
  EXPECT_EQ(plan({"t:sched:sched_switch"}, {.fields = {"prev_state"}}).front().prog_type, facts::ProgType::tracepoint);
  EXPECT_EQ(plan({"t:sched:sched_switch"}, {.whole_args = true}).front().prog_type, facts::ProgType::tracepoint);
  EXPECT_EQ(plan({"t:sched:sched_switch"}, {}, {.raw_tracepoints = true}).front().prog_type, facts::ProgType::tracepoint);
}

// The verifier lets typed programs load pointers to structs only.
TEST_F(Planning, RawTracepointsWithOddPointersAreUntyped) {
  EXPECT_EQ(plan({"rt:task_rename"}, {.fields = {"task"}}).front().prog_type, facts::ProgType::tracing);
  auto odd = plan({"rt:task_rename"}, {.fields = {"comm"}});
  EXPECT_EQ(odd.front().prog_type, facts::ProgType::raw_tracepoint);
  EXPECT_FALSE(odd.front().arguments.typed_pointers);
}

TEST_F(Planning, ManyTracepointsWithoutArgumentsAreOneProgram) {
  auto instances = plan({"t:sched:sched_*"}, {.probe = true});
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances.front().which, Which::cookie);
  EXPECT_EQ(instances.front().attachments.size(), instances.front().targets.size());
  EXPECT_EQ(instances.front().attachments[3].cookie, 3U);
  EXPECT_EQ(plan({"t:sched:sched_*"}, {.probe = false}).front().which, Which::first);
  // Without cookies each must be its own, if it matters which.
  Abilities old = kAll;
  old.raw_cookies = false;
  EXPECT_GT(plan({"t:sched:sched_*"}, {.probe = true}, old).size(), 10U);
}

TEST_F(Planning, FunctionsOfAFileAreOneLink) {
  auto instances = plan({"uprobe:libc:str*"}, {.numbered = true, .probe = true});
  ASSERT_EQ(instances.size(), 1U);
  const Instance& all = instances.front();
  ASSERT_EQ(all.attachments.size(), 1U);
  const auto& multi = std::get<espy::probe::UprobeMulti>(all.attachments[0].probe);
  EXPECT_EQ(multi.offsets.size(), all.targets.size());
  EXPECT_EQ(multi.cookies.size(), all.targets.size());
  EXPECT_EQ(all.attach_type, facts::AttachType::trace_uprobe_multi);
  EXPECT_EQ(all.arguments.numbered.size(), 10U);
  Abilities old = kAll;
  old.uprobe_multi = false;
  EXPECT_EQ(plan({"uprobe:libc:str*"}, {}, old).size(), all.targets.size());
}

TEST_F(Planning, KernelFunctionsAreOneLink) {
  auto instances = plan({"kprobe:vfs_*"}, {.probe = true});
  ASSERT_EQ(instances.size(), 1U);
  const auto& multi = std::get<espy::probe::KprobeMulti>(instances.front().attachments.at(0).probe);
  EXPECT_EQ(multi.symbols.size(), multi.cookies.size());
  EXPECT_GT(multi.symbols.size(), 10U);
  EXPECT_EQ(plan({"kprobe:vfs_read+4"}, {}).front().attach_type, std::nullopt);
}

TEST_F(Planning, RowsOfDerivationsNameFieldsThatAreThere) {
  std::set<std::string> events;
  for (const auto& name : **machine.tracepoints()) events.insert(name.name);
  std::size_t checked = 0;
  for (const DerivationRow& row : derivations()) {
    std::string event(std::string_view(row.events).substr(0, row.events.find(' ')));
    if (!events.contains(event)) continue;
    for (const auto& name : **machine.tracepoints()) {
      if (name.name != event || name.category == "syscalls") continue;
      auto instances = plan({fmt::format("t:{}:{}", name.category, name.name)}, {.fields = {std::string(row.field)}});
      ASSERT_EQ(instances.size(), 1U);
      EXPECT_NE(instances[0].prog_type, facts::ProgType::tracepoint) << event << "." << row.field << " from " << row.from;
      ++checked;
    }
  }
  EXPECT_GT(checked, 20U);
}

}  // namespace
}  // namespace espy::trace::probes
