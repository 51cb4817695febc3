#include "kernel/verifier_log.hpp"

#include <gtest/gtest.h>

#include "base/fd.hpp"

namespace espy::kernel {
namespace {

// Logs as Linux 6.18 wrote them, one a kind of rejection.
struct Recorded {
  std::string_view file;
  std::string_view reason;              // the first
  std::optional<std::uint32_t> insn;
  std::string_view insn_text;
  std::string_view place;
  std::string_view advice;              // part of it; empty: none is given
};

class RecordedLog : public testing::TestWithParam<Recorded> {};

TEST_P(RecordedLog, GivesReasonPlaceAndAdvice) {
  const Recorded& expected = GetParam();
  auto log = read_text_file(fmt::format("{}/src/kernel/testdata/verifier/{}.txt", ESPY_SOURCE_DIR, expected.file));
  ASSERT_TRUE(log.has_value()) << describe(log.error());
  VerifierReport report = read_verifier_log(*log);
  ASSERT_FALSE(report.reasons.empty());
  EXPECT_EQ(report.reasons.front(), expected.reason);
  EXPECT_EQ(report.insn, expected.insn);
  EXPECT_EQ(report.insn_text, expected.insn_text);
  EXPECT_EQ(report.place, expected.place);
  std::string advice;
  for (const std::string& reason : report.reasons)
    if (advice.empty()) advice = advice_for(reason);
  if (expected.advice.empty()) EXPECT_EQ(advice, "");
  else EXPECT_NE(advice.find(expected.advice), std::string::npos) << advice;
}

const Recorded kRecorded[] = {
    {"map_null", "R0 invalid mem access 'map_value_or_null'", 7, "r1 = *(u64 *)(r0 +0)", "map_null.c:8", "NULL"},
    {"pkt_bounds", "invalid access to packet, off=20 size=1, R1(id=0,off=20,r=0)", 1, "r0 = *(u8 *)(r1 +20)", "pkt_bounds.c:8", "data_end"},
    {"unknown_func", "invalid func unknown#9999", 0, "call unknown#9999", "unknown_func.c:8", ""},
    {"gpl", "cannot call GPL-restricted function from non-GPL compatible program", 6, "call bpf_probe_read_kernel#113", "gpl.c:8", "license"},
    {"arg_type", "R1 type=ctx expected=map_ptr", 9, "call bpf_map_update_elem#2", "arg_type.c:8", "argument"},
    {"bad_ret", "At program exit the register R0 has smin=7 smax=7 should have been in [0, 1]", 1, "exit", "bad_ret.c:7", "returns"},
    {"big_stack", "combined stack size of 3 calls is 608. Too large", std::nullopt, "", "", "512 bytes"},
    {"ctx_oob", "invalid bpf_context access off=200 size=4", 0, "r0 = *(u32 *)(r1 +200)", "ctx_oob.c:7", "context"},
    {"ctx_write", "invalid bpf_context access off=0 size=4", 1, "*(u32 *)(r1 +0) = r2", "ctx_write.c:7", "context"},
    {"dead_code", "unreachable insn 2", 2, "", "", "reached"},
    {"fallthrough", "last insn is not an exit or jmp", std::nullopt, "", "", "falls off"},
    {"inf_loop", "BPF program is too large. Processed 1000001 insn", 3, "goto pc-3", "", "bpf_loop"},
    {"ptr_arith", "R7 unbounded memory access, make sure to bounds check any such access", 12, "r6 = *(u64 *)(r7 +0)", "ptr_arith.c:8", "bound the offset"},
    {"scalar_deref", "R0 invalid mem access 'scalar'", 1, "r0 = *(u32 *)(r0 +0)", "scalar_deref.c:8", "BPF_CORE_READ"},
    {"spin", "BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region", 11, "exit", "spin.c:10", "unlock"},
    {"stack_oob", "invalid variable-offset read from stack R2 var_off=(0x0; 0x3f) off=-16 size=1", 8, "r0 = *(u8 *)(r2 +0)", "stack_oob.c:8", "mask it"},
    {"too_complex", "infinite loop detected at insn 5", 10, "if w2 s< 0x989680 goto pc-6", "too_complex.c:8", "bpf_loop"},
    {"unreleased", "Unreleased reference id=2 alloc_insn=4", 9, "exit", "unreleased.c:9", "give back"},
};
INSTANTIATE_TEST_SUITE_P(Kernel, RecordedLog, testing::ValuesIn(kRecorded), [](const auto& info) { return std::string(info.param.file); });

// The shape of older logs: states on lines of their own, precision tracking, branches that turned out safe.
TEST(VerifierLog, OfOlderKernels) {
  VerifierReport report = read_verifier_log(
      "Unrecognized arg#0 type PTR\n"
      "; struct value *v = bpf_map_lookup_elem(&values, &key);\n"
      "12: (85) call bpf_map_lookup_elem#1\n"
      "13: (15) if r0 == 0x0 goto pc+8\n"
      " R0_w=map_value(id=0,off=0,ks=4,vs=64,imm=0) R6=ctx(id=0,off=0,imm=0) R10=fp0 fp-8=mmmm????\n"
      "; return v->bytes[index];\n"
      "14: (0f) r0 += r7\n"
      "last_idx 14 first_idx 10\n"
      "regs=80 stack=0 before 13: (15) if r0 == 0x0 goto pc+8\n"
      "15: (71) r0 = *(u8 *)(r0 +0)\n"
      " R0_w=map_value(id=0,off=0,ks=4,vs=64,umax_value=255,var_off=(0x0; 0xff)) R10=fp0\n"
      "invalid access to map value, value_size=64 off=255 size=1\n"
      "R0 max value is outside of the array range\n"
      "processed 21 insns (limit 1000000) max_states_per_insn 0 total_states 2 peak_states 2 mark_read 1\n");
  ASSERT_EQ(report.reasons.size(), 2U);
  EXPECT_EQ(report.reasons[0], "invalid access to map value, value_size=64 off=255 size=1");
  EXPECT_EQ(report.insn, 15U);
  EXPECT_EQ(report.insn_text, "r0 = *(u8 *)(r0 +0)");
  EXPECT_EQ(report.source, "return v->bytes[index];");
  EXPECT_EQ(report.place, "");
  EXPECT_EQ(report.processed, 21U);
}

TEST(VerifierLog, OfAnAcquiredReference) {
  VerifierReport report = read_verifier_log("4: (85) call bpf_ringbuf_reserve#131 ; R0=ringbuf_mem_or_null(id=2)\n9: (95) exit\nUnreleased reference id=2 alloc_insn=4\n");
  EXPECT_EQ(report.acquired_at, 4U);
  EXPECT_EQ(report.insn, 9U);
}

TEST(VerifierLog, EmptyCutAndStrangeOnesGiveNothing) {
  EXPECT_TRUE(read_verifier_log("").reasons.empty());
  EXPECT_TRUE(read_verifier_log("processed 2 insns (limit 1000000)\n").reasons.empty());
  EXPECT_TRUE(read_verifier_log("\n\n\n").reasons.empty());
  EXPECT_TRUE(read_verifier_log("99999999999: (95) exit\n").insn == std::nullopt);
  // Cut at its front: the first line is half a line of states.
  VerifierReport cut = read_verifier_log("ff; 0x0)) R2=ctx()\n7: (95) exit\nR0 !read_ok\n");
  EXPECT_EQ(cut.reasons.front(), "R0 !read_ok");
  EXPECT_EQ(cut.insn, 7U);
}

}  // namespace
}  // namespace espy::kernel
