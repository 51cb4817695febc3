#include "isa/decode.hpp"

#include <gtest/gtest.h>

#include "isa/assemble.hpp"
#include "isa/opcodes.hpp"

namespace espy::isa {
namespace {

Insn slot(std::uint8_t opcode, std::uint8_t dst = 0, std::uint8_t src = 0, std::int16_t off = 0, std::int32_t imm = 0) {
  Insn insn;
  insn.opcode = opcode, insn.dst = dst & 0xf, insn.src = src & 0xf, insn.off = off, insn.imm = imm;
  return insn;
}

TEST(Opcodes, TableIsFoundByInstructionAndByName) {
  for (const OpcodeRow& row : opcodes()) {
    EXPECT_EQ(find_row(row.name), &row);
    std::array<Insn, 2> slots;
    encode(Instruction{.row = &row}, slots);
    EXPECT_EQ(find_row(slots[0]), &row) << row.name;
  }
  EXPECT_EQ(find_row("add65_imm"), nullptr);
}

TEST(Opcodes, EveryByteThatHasNoRowIsUndefined) {
  int undefined = 0;
  for (int opcode = 0; opcode < 256; ++opcode) {
    Insn insn = slot(static_cast<std::uint8_t>(opcode));
    if (!rows_of(insn.opcode).empty()) continue;
    ++undefined;
    auto decoded = decode(std::span(&insn, 1), 0);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().kind, ErrorKind::malformed);
    EXPECT_NE(decoded.error().message.find("undefined opcode"), std::string::npos);
  }
  EXPECT_GT(undefined, 90);
}

// A bit in a field that a row does not use makes the instruction invalid, and the error names the field.
TEST(Decode, ReservedFieldsMustBeZero) {
  for (const OpcodeRow& row : opcodes()) {
    std::array<Insn, 2> clean;
    unsigned count = encode(Instruction{.row = &row}, clean);
    auto expect_refused = [&](std::string_view field) {
      auto decoded = decode(std::span(clean).first(count), 0);
      ASSERT_FALSE(decoded) << row.name;
      EXPECT_NE(decoded.error().message.find(field), std::string::npos) << decoded.error().message;
    };
    auto with = [&](auto change, std::string_view field) {
      auto kept = clean;
      change(clean);
      expect_refused(field);
      clean = kept;
    };
    std::uint8_t fields = row.fields();
    if (!(fields & kDst)) with([](auto& s) { s[0].dst = 3; }, "destination register");
    if (!(fields & kSrc) && row.selector != Selector::src) with([](auto& s) { s[0].src = 3; }, "source register");
    if (!(fields & kOff) && row.selector != Selector::off) with([](auto& s) { s[0].off = -2; }, "offset");
    if (!(fields & kImm) && row.selector != Selector::imm) with([](auto& s) { s[0].imm = 9; }, "immediate");
    if (fields & kDst) with([](auto& s) { s[0].dst = 11; }, "r11");
    if (fields & kSrc) with([](auto& s) { s[0].src = 15; }, "r15");
    if (count == 2) {
      with([](auto& s) { s[1].opcode = 1; }, "second slot");
      with([](auto& s) { s[1].dst = 1; }, "second slot");
      with([](auto& s) { s[1].off = 1; }, "second slot");
      if (!(fields & kHighImm)) with([](auto& s) { s[1].imm = 1; }, "second immediate");
    }
  }
}

TEST(Decode, Variants) {
  Insn insn = slot(0xdb, 1, 2, 0, 0x123);
  auto decoded = decode(std::span(&insn, 1), 0);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("immediate 0x123"), std::string::npos) << decoded.error().message;
  EXPECT_NE(decoded.error().message.find("atomic64_fetch_add"), std::string::npos);
  EXPECT_EQ(decoded.error().where, "instruction 0");
}

TEST(Decode, TruncatedAndPastTheEnd) {
  Insn insn = slot(kOpLdImm64, 1);
  EXPECT_EQ(try_decode(std::span(&insn, 1), 0).defect, Defect::truncated);
  EXPECT_EQ(try_decode(std::span(&insn, 1), 1).defect, Defect::past_the_end);
  EXPECT_EQ(try_decode({}, 0).defect, Defect::past_the_end);
}

TEST(Decode, RegistersReadAndWritten) {
  struct Case {
    std::string_view text;
    RegisterSet read, written;
  };
  const RegisterSet args = registers(1, 2, 3, 4, 5), clobbered = registers(0, 1, 2, 3, 4, 5);
  const std::vector<Case> cases = {
      {"r1 += r2", registers(1, 2), registers(1)},
      {"r1 += 2", registers(1), registers(1)},
      {"r1 = r2", registers(2), registers(1)},
      {"w1 = 7", 0, registers(1)},
      {"r1 = (s8)r2", registers(2), registers(1)},
      {"r3 = -r3", registers(3), registers(3)},
      {"r3 = be16 r3", registers(3), registers(3)},
      {"r3 = 5 ll", 0, registers(3)},
      {"r1 = *(u64 *)(r6 +8)", registers(6), registers(1)},
      {"*(u64 *)(r6 +8) = r1", registers(6, 1), 0},
      {"*(u64 *)(r6 +8) = 1", registers(6), 0},
      {"lock *(u64 *)(r6 +8) += r1", registers(6, 1), 0},
      {"r1 = atomic64_fetch_add((u64 *)(r6 +8), r1)", registers(6, 1), registers(1)},
      {"r0 = atomic64_cmpxchg((u64 *)(r6 +8), r0, r1)", registers(6, 1, 0), registers(0)},
      {"r1 = load_acquire((u64 *)(r6 +8))", registers(6), registers(1)},
      {"store_release((u64 *)(r6 +8), r1)", registers(6, 1), 0},
      {"r0 = *(u8 *)skb[12]", registers(6), clobbered},
      {"r0 = *(u8 *)skb[r2 + 12]", registers(6, 2), clobbered},
      {"if r1 > 5 goto +1", registers(1), 0},
      {"if r1 > r2 goto +1", registers(1, 2), 0},
      {"goto +1", 0, 0},
      {"may_goto +1", 0, 0},
      {"gotox r4", registers(4), 0},
      {"call 5", args, clobbered},
      {"callx r9", registers(9, 1, 2, 3, 4, 5), clobbered},
      {"exit", registers(0), 0},
  };
  for (const Case& c : cases) {
    auto code = assemble_insns(c.text);
    ASSERT_TRUE(code) << describe(code.error());
    auto instruction = decode(*code, 0);
    ASSERT_TRUE(instruction) << c.text;
    EXPECT_EQ(registers_read(*instruction), c.read) << c.text;
    EXPECT_EQ(registers_written(*instruction), c.written) << c.text;
  }
}

TEST(Check, WholeFunctions) {
  auto message = [](std::string_view text) {
    auto code = assemble_insns(text);
    EXPECT_TRUE(code) << describe(code.error());
    auto checked = check(*code);
    return checked ? std::string() : checked.error().where + ": " + checked.error().message;
  };
  EXPECT_EQ(message("r0 = 0\nexit"), "");
  EXPECT_EQ(message("r0 = 1 ll\nif r0 == 0 goto -3\nexit"), "");
  EXPECT_EQ(message("goto pc-1"), "");
  EXPECT_EQ(message("r0 = 1 ll\nif r0 == 0 goto -2\nexit"),
            "instruction 2: its target, 1, is the second slot of a 64-bit immediate load");
  EXPECT_EQ(message("gotol +7\nexit"), "instruction 0: its target, 8, is outside of the code, which has 2 slots");
  EXPECT_EQ(message("call pc+9\nexit"), "instruction 0: its target, 10, is outside of the code, which has 2 slots");
  EXPECT_EQ(message("r0 = 0"), "instruction 0: execution runs past the last instruction");
  EXPECT_EQ(message(".slot 0xff"), "instruction 0: undefined opcode 0xff");
  EXPECT_FALSE(check({}));
}

}  // namespace
}  // namespace espy::isa
