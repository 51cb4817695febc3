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
    "begin { printf(\"hi %d\\n\", 1); exit(); }"));

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
  EXPECT_EQ(element(*object, "AT_"), GetParam().expected) << trial.optimised << "\n" << disassembly(trial.compiled->object);
}

INSTANTIATE_TEST_SUITE_P(Begin, Leaves, testing::Values(
    Run{"begin { @ = 1 + 2 * 3; }", 7},
    Run{"begin { $x = 5; if ($x > 3) { $x = 10; } else { $x = 20; } @ = $x; }", 10},
    Run{"begin { $i = 0; while ($i < 10) { $i++; if ($i == 5) { continue; } @ += $i; } }", 50},
    Run{"begin { @ = count(); @ = count(); }", 2}));

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
