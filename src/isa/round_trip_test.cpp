// What is decoded encodes to the same bits, and what is printed assembles to the same bits: for every row of the opcode
// table with many operands, for random instructions, and for random slots that need not be instructions.
#include <gtest/gtest.h>

#include <random>

#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "isa/opcodes.hpp"

namespace espy::isa {
namespace {

constexpr std::array<std::int16_t, 9> kOffsets = {0, 1, -1, 8, -8, 127, -512, 32767, -32768};
constexpr std::array<std::int32_t, 10> kImmediates = {
    0, 1, -1, 5, -5, 255, 65536, 0x12345678, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()};

std::vector<Insn> encoded(const Instruction& instruction) {
  std::array<Insn, 2> slots;
  unsigned count = encode(instruction, slots);
  return {slots.begin(), slots.begin() + count};
}

// Decodes, encodes, prints, assembles.
void expect_round_trip(const Instruction& instruction) {
  std::vector<Insn> code = encoded(instruction);
  auto decoded = decode(code, 0);
  ASSERT_TRUE(decoded) << instruction.row->name << ": " << describe(decoded.error());
  EXPECT_EQ(*decoded, instruction) << instruction.row->name;
  std::string text = disassemble(code);
  auto assembled = assemble_insns(text);
  ASSERT_TRUE(assembled) << describe(assembled.error());
  EXPECT_EQ(*assembled, code) << text;
  DisassembleOptions options{.jumps = JumpStyle::annotated, .numbers = true, .opcodes = true};
  auto again = assemble_insns(disassemble(code, options));
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(*again, code);
}

TEST(RoundTrip, EveryRowWithManyOperands) {
  for (const OpcodeRow& row : opcodes()) {
    std::uint8_t fields = row.fields();
    for (std::uint8_t reg : {0, 1, 5, 9, 10}) {
      for (std::size_t n = 0; n < 10; ++n) {
        Instruction instruction{.row = &row};
        if (fields & kDst) instruction.dst = reg;
        if (fields & kSrc) instruction.src = static_cast<std::uint8_t>(10 - reg);
        if (fields & kOff) instruction.off = kOffsets[n % kOffsets.size()];
        if (fields & kImm) instruction.imm = kImmediates[n];
        if (fields & kHighImm) instruction.high_imm = kImmediates[9 - n];
        expect_round_trip(instruction);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(RoundTrip, RandomInstructions) {
  std::mt19937_64 random(20240601);
  for (int i = 0; i < 5000; ++i) {
    const OpcodeRow& row = opcodes()[random() % opcodes().size()];
    std::uint8_t fields = row.fields();
    Instruction instruction{.row = &row};
    if (fields & kDst) instruction.dst = random() % kRegisters;
    if (fields & kSrc) instruction.src = random() % kRegisters;
    if (fields & kOff) instruction.off = static_cast<std::int16_t>(random());
    if (fields & kImm) instruction.imm = static_cast<std::int32_t>(random());
    if (fields & kHighImm) instruction.high_imm = static_cast<std::int32_t>(random());
    expect_round_trip(instruction);
    if (HasFatalFailure()) return;
  }
}

// Any bits at all: whole programs of them, with every way of showing jumps.
TEST(RoundTrip, RandomSlots) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    std::vector<Insn> code(1 + random() % 40);
    for (Insn& insn : code) {
      insn = from_word(random());
      if (random() % 4 == 0) continue;
      const OpcodeRow& row = opcodes()[random() % opcodes().size()];
      insn = {};
      insn.opcode = row.opcode;
      insn.off = static_cast<std::int16_t>(random() % 30) - 15;
    }
    for (JumpStyle style : {JumpStyle::relative, JumpStyle::annotated, JumpStyle::labels}) {
      std::string text = disassemble(code, DisassembleOptions{.jumps = style, .numbers = true});
      auto assembled = assemble_insns(text);
      ASSERT_TRUE(assembled) << describe(assembled.error()) << "\n" << text;
      ASSERT_EQ(*assembled, code) << text;
    }
  }
}

TEST(RoundTrip, Words) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    std::uint64_t word = random();
    EXPECT_EQ(to_word(from_word(word)), word);
  }
  EXPECT_EQ(to_word({.opcode = 0xb7, .dst = 1, .imm = 5}), 0x00000005000001b7U);
}

}  // namespace
}  // namespace espy::isa
