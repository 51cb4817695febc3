// Random programs on every engine. ESPY_SEED=N runs one; ESPY_PROGRAMS=N runs so many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "ir/check.hpp"
#include "ir/lift/lift.hpp"
#include "ir/passes/passes.hpp"
#include "ir/x86/emit.hpp"
#include "isa/disassemble.hpp"
#include "kernel.hpp"
#include "random_program.hpp"
#include "vm/interp/interpreter.hpp"
#include "vm/jit/compiled.hpp"

namespace espy::vm {
namespace {

std::string listing(std::span<const isa::Insn> code) {
  std::string text;
  for (isa::InsnIdx at = 0; at < code.size(); at += isa::is_ld_imm64(code[at]) ? 2 : 1) text += fmt::format("{:4} {}\n", at, isa::disassemble(code.subspan(at)[0]));
  return text;
}

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

std::uint64_t interpreted(std::span<const isa::Insn> code) {
  auto steps = steps_of(code);
  EXPECT_TRUE(steps) << describe(steps.error());
  if (!steps) return 0;
  Run run{.budget = 1 << 20};
  Outcome outcome = interpret(*steps, run, {});
  EXPECT_FALSE(outcome.fault) << outcome.fault->message;
  return outcome.value;
}

void expect_compiled(std::uint64_t seed, std::span<const isa::Insn> code, std::uint64_t expected) {
  for (Tier tier : {Tier::baseline, Tier::optimised}) {
    auto compiled = Compiled::compile(code, tier, "random");
    ASSERT_TRUE(compiled) << describe(compiled.error());
    Run run;
    ASSERT_EQ(compiled->run(run, 0), expected) << "ESPY_SEED=" << seed << ", tier " << static_cast<int>(tier) << "\n" << listing(code);
  }
}

TEST(RandomPrograms, CompiledAsInterpreted) {
  const std::uint64_t first = number_of("ESPY_SEED", 1), count = std::getenv("ESPY_SEED") != nullptr ? 1 : number_of("ESPY_PROGRAMS", 400);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::vector<isa::Insn> code = random_program(seed);
    expect_compiled(seed, code, interpreted(code));
    if (HasFatalFailure()) return;
  }
}

/// Bytes that are no program, or none that a verifier would let in: an error, or sound IR and code for it.
TEST(RandomPrograms, BrokenOnesAreLiftedSoundlyOrRefused) {
  std::mt19937_64 random(number_of("ESPY_SEED", 1));
  std::size_t lifted_ones = 0;
  for (std::uint64_t seed = 1; seed < 1500; ++seed) {
    std::vector<isa::Insn> code = random_program(seed);
    for (int i = 0; i < 3; ++i) {
      isa::Insn& insn = code[random() % code.size()];
      switch (random() % 4) {
        case 0: insn.dst = static_cast<std::uint8_t>(random() % 11) & 15; break;
        case 1: insn.off = static_cast<std::int16_t>(random() % 32) - 16; break;
        case 2: insn.imm ^= 1 << random() % 32; break;
        default: insn.opcode = static_cast<std::uint8_t>(random()); break;
      }
    }
    auto lifted = ir::lift({.code = code});
    if (!lifted) continue;
    ++lifted_ones;
    auto good = ir::check(lifted->module);
    ASSERT_TRUE(good) << describe(good.error()) << "\n" << listing(code);
    ir::optimise(lifted->module, {.divide_by_multiply = true, .hoist_cheap = true});
    auto made = ir::x86::emit(lifted->module, {.features = ir::x86::host_features()});
    ASSERT_TRUE(made || made.error().kind == ErrorKind::unsupported) << describe(made.error()) << "\n" << listing(code);
  }
  EXPECT_GT(lifted_ones, 100U);
}

TEST(RandomPrograms, InterpretedAsOnTheKernel) {
  const std::uint64_t first = number_of("ESPY_SEED", 1), count = std::getenv("ESPY_SEED") != nullptr ? 1 : number_of("ESPY_PROGRAMS", 400) / 4;
  std::uint64_t ran = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::vector<isa::Insn> code = random_program(seed);
    auto program = load_into_kernel(code);
    if (!program && program.error().kind == ErrorKind::permission) GTEST_SKIP() << "this process may not load programs";
    if (!program) continue;   // its loop is not followed, or what it shifts by is not known
    auto result = run_on_kernel(*program);
    ASSERT_TRUE(result) << describe(result.error());
    ASSERT_EQ(*result, interpreted(code)) << "ESPY_SEED=" << seed << "\n" << listing(code);
    ++ran;
  }
  EXPECT_GT(ran, count / 4);
}

}  // namespace
}  // namespace espy::vm
