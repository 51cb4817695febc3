// Verdicts on small programs: what is accepted, what a rejection tells. The corpus in tests/verifier has the breadth.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "btf/builder.hpp"
#include "object/asm.hpp"
#include "object/read.hpp"
#include "object/write.hpp"
#include "verifier/rules.hpp"
#include "verifier/verify.hpp"

namespace espy::verifier {
namespace {

Verdict judge(std::string_view text, facts::KernelVersion version = {.major = 6, .minor = 18}, Options options = {}) {
  auto object = object::assemble_object(text);
  if (!object) return {.log = espy::describe(object.error())};
  object->license = "GPL";
  object::Target target;
  target.version = version;
  auto linked = object::link(std::move(*object), target);
  if (!linked) return {.log = espy::describe(linked.error())};
  return verify(*linked, linked->programs.front(), target, profile_of(version), options);
}

constexpr std::string_view kMap = R"(
.map counts type=hash key=4 value=64 max_entries=8
)";

std::string with_map(std::string_view body) {
  return std::string(kMap) + ".section socket\n.func main\n" + std::string(body) + "\n";
}

constexpr std::string_view kLookup = R"(
  *(u32 *)(r10 - 4) = 0
  r2 = r10
  r2 += -4
  r1 = map[counts] ll
  call bpf_map_lookup_elem
)";

TEST(Verify, AcceptsAndTellsWhatHolds) {
  const Verdict verdict = judge(".section socket\n.func main\n  r0 = 7\n  if r0 > 9 goto out\n  r0 = 1\nout:\n  exit\n");
  ASSERT_TRUE(verdict.accepted) << verdict.log;
  ASSERT_EQ(verdict.facts.size(), 4U);
  EXPECT_EQ(verdict.facts[0].umin, 7U);
  EXPECT_TRUE(verdict.facts[1].never_jumps);
  EXPECT_FALSE(verdict.facts[1].always_jumps);
  EXPECT_EQ(verdict.stats.insns_processed, 4U);
}

TEST(Verify, LoopsEndOrAreRefused) {
  EXPECT_TRUE(judge(".section socket\n.func main\n  r0 = 0\nagain:\n  r0 += 1\n  if r0 < 100 goto again\n  r0 = 0\n  exit\n").accepted);
  const Verdict endless = judge(".section socket\n.func main\n  r0 = 0\nagain:\n  r1 = 5\n  if r1 != 0 goto again\n  exit\n");
  ASSERT_EQ(endless.errors.size(), 1U);
  EXPECT_EQ(endless.errors[0].rule, Rule::infinite_loop);
  const Verdict old = judge(".section socket\n.func main\n  r0 = 0\nagain:\n  r0 += 1\n  if r0 < 100 goto again\n  exit\n", {.major = 5, .minor = 2});
  ASSERT_EQ(old.errors.size(), 1U);
  EXPECT_NE(old.errors[0].kernel_says.find("back-edge"), std::string::npos);
}

TEST(Verify, StopsAtTheBudget) {
  const Verdict verdict = judge(".section socket\n.func main\n  r0 = 0\nagain:\n  r0 += 1\n  if r0 < 10000000 goto again\n  exit\n", {.major = 6, .minor = 18},
                                {.max_insns = 5000});
  ASSERT_EQ(verdict.errors.size(), 1U);
  EXPECT_EQ(verdict.errors[0].rule, Rule::too_large);
}

TEST(Verify, LogsThePathOrEveryState) {
  const std::string text = with_map("  r6 = *(u32 *)(r1 + 0)\n  if r6 > 9 goto far\n  r0 = 0\n  exit\nfar:\n  r0 = r1\n  exit");
  const std::string path = judge(text, {.major = 6, .minor = 18}, {.unprivileged = true, .log_level = 1}).log;
  EXPECT_EQ(path.find("r0 = 0\n"), std::string::npos) << path;   // the other branch, which is fine
  EXPECT_NE(path.find("r0 = r1\n"), std::string::npos) << path;
  EXPECT_NE(path.find("processed 6 insns"), std::string::npos) << path;
  const std::string states = judge(text, {.major = 6, .minor = 18}, {.unprivileged = true, .log_level = 2}).log;
  EXPECT_NE(states.find("2: r0 = 0  ; r1 points to "), std::string::npos) << states;
  EXPECT_NE(states.find("r6 is 0…9\n"), std::string::npos) << states;
  EXPECT_EQ(judge(text).log, "");
}

TEST(Verify, TellsOfAMissingNullCheck) {
  const Verdict verdict = judge(with_map(std::string(kLookup) + "  r0 = *(u64 *)(r0 + 0)\n  exit"));
  ASSERT_EQ(verdict.errors.size(), 1U) << verdict.log;
  const Diagnostic& error = verdict.errors[0];
  EXPECT_EQ(error.rule, Rule::missing_null_check);
  EXPECT_EQ(error.kernel_says, "R0 invalid mem access 'map_value_or_null'");
  EXPECT_NE(error.values.find("counts"), std::string::npos);
  EXPECT_NE(error.values.find("NULL"), std::string::npos);
  ASSERT_FALSE(error.path.empty());
  EXPECT_EQ(error.path.back().text, "r0 is what bpf_map_lookup_elem returned");
  EXPECT_FALSE(error.hint.empty());
}

TEST(Verify, TellsHowFarAnOffsetMayGo) {
  const Verdict verdict = judge(with_map("  r6 = *(u32 *)(r1 + 0)" + std::string(kLookup) +
                                         "  if r0 == 0 goto out\n  if r6 > 64 goto out\n  r0 += r6\n  r0 = *(u8 *)(r0 + 0)\nout:\n  r0 = 0\n  exit"));
  ASSERT_EQ(verdict.errors.size(), 1U) << verdict.log;
  const Diagnostic& error = verdict.errors[0];
  EXPECT_EQ(error.rule, Rule::map_value_bounds);
  EXPECT_NE(error.hint.find("> 63"), std::string::npos) << error.hint;
  EXPECT_NE(error.values.find("0…64"), std::string::npos) << error.values;
  EXPECT_TRUE(std::ranges::any_of(error.path, [](const Note& note) { return note.text == "this branch is not taken"; }));
  EXPECT_TRUE(std::ranges::any_of(error.path, [](const Note& note) { return note.text == "r6 is read from the context here"; }));
}

TEST(Verify, AsksForTheAddressOfAKernelSymbol) {
  btf::Builder types;
  const btf::TypeId number = types.add_int("int", 4, {.bits = 32});
  types.add_var("left", number, btf::Linkage::global);
  object::Target target{.name = "a kernel", .version = {.major = 6, .minor = 18}, .vmlinux = types.build().value()};
  auto object = object::assemble_object(".section socket\n.func main\n  r1 = ksym[btf:2 module:0] ll\n  r0 = *(u32 *)(r1 + 0)\n  r0 = 0\n  exit\n");
  ASSERT_TRUE(object) << espy::describe(object.error());
  auto linked = object::link(std::move(*object), target);
  ASSERT_TRUE(linked) << espy::describe(linked.error());
  using Answer = Result<std::optional<std::uint64_t>>;
  const auto verdict_if = [&](Answer answer) {
    target.symbol_address = [answer](std::string_view name) -> Answer { return name == "left" ? answer : Answer(0x1000); };
    return verify(*linked, linked->programs.front(), target, profile_of(target.version));
  };
  EXPECT_TRUE(verdict_if(0xffffffff81000000).accepted);
  EXPECT_TRUE(verdict_if(fail(ErrorKind::permission, "hidden")).accepted) << "an address that may not be seen is one";
  for (const Answer& none : {Answer(std::nullopt), Answer(0)}) {
    const Verdict verdict = verdict_if(none);
    ASSERT_EQ(verdict.errors.size(), 1U);
    EXPECT_EQ(verdict.errors[0].kernel_says, "ldimm64 failed to find the address for kernel symbol 'left'.");
    EXPECT_NE(verdict.errors[0].hint.find("CONFIG_KALLSYMS_ALL"), std::string::npos);
  }
  target.symbol_address = nullptr;
  EXPECT_TRUE(verify(*linked, linked->programs.front(), target, profile_of(target.version)).accepted) << "nobody knows: it may be there";
}

TEST(Verify, CallbacksNeedTypes) {
  auto object = object::assemble_object(".section xdp\n.func main\n  r1 = 4\n  r2 = subprog[each] ll\n  r3 = 0\n  r4 = 0\n  call bpf_loop\n  r0 = 2\n  exit\n"
                                        ".section .text\n.func each\n.local each\n  r0 = 0\n  exit\n");
  ASSERT_TRUE(object) << espy::describe(object.error());
  const object::Target target{.version = {.major = 6, .minor = 18}};
  const auto judged = [&](const object::ObjectSpec& spec) {
    auto linked = object::link(spec, target);
    return linked ? verify(*linked, linked->programs.front(), target, profile_of(target.version)) : Verdict{.log = espy::describe(linked.error())};
  };
  const Verdict without = judged(*object);
  ASSERT_EQ(without.errors.size(), 1U) << without.log;
  EXPECT_EQ(without.errors[0].kernel_says, "missing btf func_info");
  auto written = object::write_elf(*object);   // which makes the types
  ASSERT_TRUE(written) << espy::describe(written.error());
  auto again = object::read(*written, "again.o");
  ASSERT_TRUE(again) << espy::describe(again.error());
  const Verdict with = judged(*again);
  EXPECT_TRUE(with.accepted) << with.log << (with.errors.empty() ? "" : with.errors[0].kernel_says);
}

TEST(Rules, EachHasAHint) {
  for (const RuleRow& row : rules()) {
    EXPECT_FALSE(row.title.empty());
    EXPECT_FALSE(row.hint.empty()) << row.name;
  }
  EXPECT_GE(rules().size(), 20U);
}

}  // namespace
}  // namespace espy::verifier
