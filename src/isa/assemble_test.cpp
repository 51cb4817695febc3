#include "isa/assemble.hpp"

#include <gtest/gtest.h>

#include "isa/decode.hpp"
#include "isa/disassemble.hpp"

namespace espy::isa {
namespace {

std::string errors_of(std::string_view text) {
  auto result = assemble(text, {.file = "t.s"});
  return result ? "no error" : describe(result.error());
}

TEST(Assemble, LabelsJumpBothWays) {
  auto code = assemble_insns("again:\n  r1 += 1\n  if r1 > 5 goto out\n  goto again\nout: exit\n");
  ASSERT_TRUE(code) << describe(code.error());
  EXPECT_EQ(disassemble(*code), "r1 += 1\nif r1 > 0x5 goto pc+1\ngoto pc-3\nexit\n");
  EXPECT_EQ(disassemble(*code, {.jumps = JumpStyle::labels}), "L0:\nr1 += 1\nif r1 > 0x5 goto L3\ngoto L0\nL3:\nexit\n");
}

TEST(Assemble, CommentsNumbersAndOpcodesAreSkipped) {
  auto code = assemble_insns("; text\n# text\n// text\n  3: (b7) r0 = 1 ; R0=1\n\n 4: (95) exit // done\n");
  ASSERT_TRUE(code) << describe(code.error());
  EXPECT_EQ(disassemble(*code), "r0 = 1\nexit\n");
}

TEST(Assemble, HelpersByNumberAndName) {
  AssembleOptions options;
  options.helper_number = [](std::string_view name) { return name == "bpf_ktime_get_ns" ? std::optional(5U) : std::nullopt; };
  auto code = assemble_insns("call 5\ncall bpf_ktime_get_ns\ncall bpf_ktime_get_ns#5\ncall newer#900", options);
  ASSERT_TRUE(code) << describe(code.error());
  EXPECT_EQ((*code)[0], (*code)[1]);
  EXPECT_EQ((*code)[0], (*code)[2]);
  EXPECT_EQ((*code)[3].imm, 900);
  auto wrong = assemble_insns("call bpf_ktime_get_ns#6", options);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("is helper 5, not 6"), std::string::npos) << wrong.error().message;
}

TEST(Assemble, ObjectsInText) {
  auto object = assemble(R"(
    .license "Dual BSD/GPL"
    .version 7
    .map events type=ringbuf max_entries=4096
    .map .rodata origin=rodata value=8
    .bytes 01 02 03ff
    .zero 2
    .ascii "hi"
    .extern bpf_rcu_read_lock kfunc weak
    .section "?xdp"
    .func main
      r1 = map[events] ll
      r2 = map[.rodata][0]+4 ll
      r2 = map_value[.rodata]+5
      r3 = subprog[helper] ll
      r4 = ksym[runqueues] ll
      call helper
      call kfunc[bpf_rcu_read_lock]
      r5 = events ll
      exit
    .section .text
    .local helper
    .func helper
      exit
  )");
  ASSERT_TRUE(object) << describe(object.error());
  EXPECT_EQ(object->license, "Dual BSD/GPL");
  EXPECT_EQ(object->version, 7U);
  ASSERT_EQ(object->maps.size(), 2U);
  EXPECT_EQ(object->maps[0].attributes[1].value, "4096");
  EXPECT_EQ(object->maps[1].contents.size(), 8U);
  ASSERT_EQ(object->externs.size(), 1U);
  EXPECT_TRUE(object->externs[0].weak);
  ASSERT_EQ(object->functions.size(), 2U);
  const AssembledFunction& entry = object->functions[0];
  EXPECT_EQ(entry.section, "?xdp");
  EXPECT_TRUE(entry.is_global);
  EXPECT_FALSE(object->functions[1].is_global);
  using enum ReferenceKind;
  std::vector<std::tuple<InsnIdx, ReferenceKind, std::string, std::uint32_t>> references;
  for (const Reference& r : entry.references) references.emplace_back(r.insn, r.kind, r.name, r.offset);
  decltype(references) expected = {{0, map, "events", 0}, {2, map_value, ".rodata", 4}, {4, map_value, ".rodata", 5},
                                   {6, function, "helper", 0}, {8, ksym, "runqueues", 0},
                                   {10, function, "helper", 0}, {11, kfunc, "bpf_rcu_read_lock", 0},
                                   {12, symbol, "events", 0}};
  EXPECT_EQ(references, expected);
}

TEST(Assemble, SectionNames) {
  auto object = assemble(".section tp/syscalls/sys_enter_open # why\n.func a\nexit\n.section \"uprobe//bin/sh:main\"\n.func b\nexit\n.text\nc: exit");
  ASSERT_TRUE(object) << describe(object.error());
  ASSERT_EQ(object->functions.size(), 3U);
  EXPECT_EQ(object->functions[0].section, "tp/syscalls/sys_enter_open");
  EXPECT_EQ(object->functions[1].section, "uprobe//bin/sh:main");
  EXPECT_EQ(object->functions[2].section, ".text");
}

struct BadText {
  std::string_view text, expected;
};
class AssembleErrors : public testing::TestWithParam<BadText> {};

TEST_P(AssembleErrors, SayWhereAndWhat) { EXPECT_EQ(errors_of(GetParam().text), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(All, AssembleErrors, testing::Values(
    BadText{"r1 = r12\n", "error: there is no register r12; the last is r10\n  at t.s:1:6\n  note: r1 = r12\n  note:      ^"},
    BadText{"exit\n  gotto +1\n", "error: `gotto` does not fit here; expected a register w0…w10, a register r0…r10, `goto`, `gotol`, `gotox`, `if`, `r0`, `*`, …\n  at t.s:2:3\n  note:   gotto +1\n  note:   ^\n  hint: did you mean `goto`?"},
    BadText{"r1 = *(u64 *)(r2 +40000)", "error: 40000 is out of range: this field holds -32768 … 32767\n  at t.s:1:19\n  note: r1 = *(u64 *)(r2 +40000)\n  note:                   ^"},
    BadText{"r1 = 0x100000000", "error: 0x100000000 is out of range: this field holds -2147483648 … 2147483647\n  at t.s:1:6\n  note: r1 = 0x100000000\n  note:      ^\n  hint: a 64-bit constant takes two slots: `… = 0x100000000 ll`"},
    BadText{"r1 = -r2", "error: both registers must be the same here: r1\n  at t.s:1:7\n  note: r1 = -r2\n  note:       ^"},
    BadText{"loop: r1 += 1\ngoto lop", "error: `loop` has no label `lop`\n  at t.s:2:6\n  note: goto lop\n  note:      ^\n  hint: did you mean `loop`?"},
    BadText{"exit exit", "error: `exit` does not fit here; expected the end of the line\n  at t.s:1:6\n  note: exit exit\n  note:      ^"},
    BadText{".sektion xdp", "error: there is no directive `.sektion`\n  at t.s:1:1\n  note: .sektion xdp\n  note: ^\n  hint: did you mean `.section`?"},
    BadText{".func a\nexit\n.func a\n", "error: `a` is defined twice\n  at t.s:3:7\n  note: .func a\n  note:       ^"},
    BadText{".zero 99999999999", "error: contents belong behind the `.map` that they fill\n  at t.s:1:7\n  note: .zero 99999999999\n  note:       ^"},
    BadText{"r1 = \"open", "error: `\"open` does not fit here; expected a number, a name, a register r0…r10, `map`, `map_value`, `ksym`, `subprog`, `*`, …\n  at t.s:1:6\n  note: r1 = \"open\n  note:      ^"}));

TEST(Assemble, FarLabelIsAnError) {
  std::string text = "goto far\n";
  for (int i = 0; i < 40000; ++i) text += "r0 = 0\n";
  text += "far: exit\n";
  std::string message = errors_of(text);
  EXPECT_NE(message.find("`far` is 40000 slots away"), std::string::npos) << message;
  EXPECT_NE(message.find("gotol"), std::string::npos);
}

}  // namespace
}  // namespace espy::isa
