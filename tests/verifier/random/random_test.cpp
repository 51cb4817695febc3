// A slice of the random differential run: the same verdict as the running kernel, program by program, and accepted programs
// that stay inside their memory when they run. ESPY_PROGRAMS and ESPY_SEED choose another slice.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.hpp"
#include "differential.hpp"
#include "generator.hpp"

namespace espy::corpus {
namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : parse_number<std::uint64_t>(text).value_or(otherwise);
}

TEST(RandomPrograms, JudgedAsByTheKernel) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  auto judge = Judge::create();
  ASSERT_TRUE(judge) << describe(judge.error());
  const std::uint64_t first = number_of("ESPY_SEED", 1), count = number_of("ESPY_PROGRAMS", 3000);
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    object::LinkedProgram program = random_program(seed);
    const Verdicts verdicts = judge->judge(program);
    accepted += verdicts.kernel ? 1 : 0;
    if (verdicts.difference() == Difference::none) {
      if (!verdicts.ours) continue;
      if (auto fault = judge->run_safely(program, seed)) ADD_FAILURE() << "seed " << seed << ": " << *fault << "\n" << corpus_text(program, "seed", verdicts);
      continue;
    }
    program = shrink(std::move(program), [&](const object::LinkedProgram& less) { return judge->judge(less).difference() == verdicts.difference(); });
    ADD_FAILURE() << "seed " << seed << ":\n" << corpus_text(program, fmt::format("seed_{}", seed), judge->judge(program));
  }
  EXPECT_GT(accepted, count / 5) << "programs that load teach more";
  EXPECT_LT(accepted, count * 4 / 5) << "programs that do not load teach more";
}

TEST(Shrinking, LeavesWhatMatters) {
  object::LinkedProgram program = random_program(7);
  ASSERT_GT(program.spec.code.insns.size(), 10U);
  auto exits = [](const object::LinkedProgram& p) { return std::ranges::any_of(p.spec.code.insns, [](isa::Insn i) { return i.opcode == isa::kOpExit; }); };
  EXPECT_EQ(shrink(program, exits).spec.code.insns.size(), 1U);
}

}  // namespace
}  // namespace espy::corpus
