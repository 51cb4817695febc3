// Scripts compiled for kernels that are not here: what they call and how they are made must have been known then.
#include "base/text.hpp"
#include "compile.hpp"
#include "facts/tables.hpp"
#include "isa/insn.hpp"
#include "isa/opcodes.hpp"

namespace espy::trace {
namespace {

constexpr facts::KernelVersion kVersions[] = {{4, 18}, {5, 2}, {5, 4}, {5, 8}, {5, 10}, {5, 15}, {6, 1}, {6, 6}, {6, 12}};

constexpr const char* kScripts[] = {
    "begin { @[comm] = count(); @h = hist(nsecs); @l[pid] = lhist(rand, 0, 100, 10); @m = max(3); @s = stats(4); }",
    "begin { printf(\"%d %s\\n\", pid, comm); print(@x); clear(@x); @x[1] = 2; time(\"%H\"); exit(); }",
    "begin { $s = str(0); @[$s] = 1; @t[1] = (1, \"two\"); print(@t[1]); }",
    "begin { @start[tid] = nsecs; if (@start[tid]) { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); } }",
    "begin { print(curtask.pid); print((kstack(3), ustack(3))); @x[1]++; @x[2] += 3; }",
    "begin { unroll(3) { @ += 1; } if (comm == \"x\" && pid > 3 || uid) { @y = 1; } @z = -7 / 2 % 3; }",
};

/// Helpers that the object calls and a kernel of this version does not have.
std::string too_new(const object::ObjectSpec& object, facts::KernelVersion version) {
  std::string out;
  const auto look = [&](const object::FunctionSpec& function) {
    for (const isa::Insn& insn : function.insns) {
      if (!isa::is_call(insn, isa::CallKind::helper)) continue;
      const facts::HelperRow* row = facts::find_helper(static_cast<std::uint32_t>(insn.imm));
      if (row == nullptr || row->since > version) out += (row != nullptr ? std::string(row->name) : "?") + " ";
    }
  };
  for (const object::ProgramSpec& program : object.programs) look(program.code);
  for (const object::FunctionSpec& function : object.functions) look(function);
  return out;
}

class OldKernels : public testing::TestWithParam<std::tuple<facts::KernelVersion, const char*>> {};

TEST_P(OldKernels, AreServed) {
  const auto [version, script] = GetParam();
  auto options = running_options();
  ASSERT_TRUE(options.has_value()) << describe(options.error());
  options->abilities = abilities_of_version(version);
  const Trial trial(script, *options);
  ASSERT_TRUE(trial.compiled) << trial.problem << trial.ir;
  EXPECT_EQ(too_new(trial.compiled->object, version), "");
  for (const object::MapSpec& map : trial.compiled->object.maps) {
    EXPECT_TRUE(map.type != facts::MapType::ringbuf || (version >= facts::KernelVersion{5, 8, 0}));
  }
}

INSTANTIATE_TEST_SUITE_P(All, OldKernels, testing::Combine(testing::ValuesIn(kVersions), testing::ValuesIn(kScripts)));

// What was compiled for an old kernel runs on a new one all the same.
class Compatible : public testing::TestWithParam<std::tuple<facts::KernelVersion, const char*>> {};

TEST_P(Compatible, LoadsHere) {
  const auto [version, script] = GetParam();
  auto options = running_options();
  ASSERT_TRUE(options.has_value()) << describe(options.error());
  options->abilities = abilities_of_version(version);
  const Trial trial(script, *options);
  ASSERT_TRUE(trial.compiled) << trial.problem;
  const auto object = load(*trial.compiled);
  if (!object && object.error().kind == ErrorKind::permission) GTEST_SKIP() << describe(object.error());
  EXPECT_TRUE(object.has_value()) << describe(object.error()) << disassembly(trial.compiled->object);
}

INSTANTIATE_TEST_SUITE_P(All, Compatible, testing::Combine(testing::ValuesIn(kVersions), testing::ValuesIn(kScripts)));

TEST(WhatKernelsCannot, IsSaidWithItsPlace) {
  auto options = running_options();
  ASSERT_TRUE(options.has_value());
  options->abilities = abilities_of_version({5, 10});
  const Trial trial("begin { @x[1] = 1; for ($kv : @x) { print($kv); } }", *options);
  EXPECT_FALSE(trial.compiled);
  EXPECT_NE(trial.problem.find("test.bt:1:"), std::string::npos) << trial.problem;
  EXPECT_NE(trial.problem.find("5.13"), std::string::npos) << trial.problem;
}

}  // namespace
}  // namespace espy::trace
