#include "ir/passes/passes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.hpp"
#include "ir/check.hpp"
#include "ir/test_support.hpp"
#include "ir/text.hpp"

namespace espy::ir {
namespace {

constexpr unsigned kPrograms = 400, kRuns = 6;

/// What the passes named make of a text; every step is checked.
std::string apply(std::string_view pass_names, std::string_view text, const Options& options) {
  Result<Module> module = parse(text);
  if (!module) return describe(module.error());
  if (auto checked = check(*module); !checked) return describe(checked.error());
  for (std::string_view name : split_words(pass_names)) {
    const PassRow* pass = find_pass(name);
    if (name == "optimise") {
      optimise(*module, options);
    } else if (pass == nullptr) {
      return fmt::format("no pass is named {}", name);
    } else {
      for (Function& function : module->functions) pass->run(*module, function, options);
    }
    if (auto checked = check(*module); !checked) return fmt::format("after {}: {}\n{}", name, describe(checked.error()), print(*module));
  }
  return print(*module);
}

/// testdata/*.ir: cases as `=== PASS…: title`, the IR before, `---`, the IR after. ESPY_UPDATE=1 writes what came out.
class PassCases : public testing::TestWithParam<std::filesystem::path> {};

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ESPY_SOURCE_DIR "/src/ir/testdata"))
    if (entry.path().extension() == ".ir") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

TEST_P(PassCases, GiveWhatIsExpected) {
  std::ifstream in(GetParam());
  std::string text(std::istreambuf_iterator<char>(in), {}), written;
  for (std::size_t at = 0; at < text.size();) {
    ASSERT_TRUE(text.compare(at, 4, "=== ") == 0) << text.substr(at, 80);
    std::size_t next = text.find("\n=== ", at);
    std::string one = text.substr(at, next == std::string::npos ? next : next + 1 - at);
    at = next == std::string::npos ? text.size() : next + 1;
    std::size_t line = one.find('\n'), half = one.find("\n---\n");
    std::string title = one.substr(4, line - 4), before = one.substr(line + 1, half == std::string::npos ? half : half - line);
    std::string after = half == std::string::npos ? "" : one.substr(half + 5);
    while (after.ends_with("\n\n")) after.pop_back();
    Options options{.divide_by_multiply = title.contains("by multiplication"), .hoist_cheap = title.contains("cheap")};
    std::string got = apply(title.substr(0, title.find(':')), before, options);
    while (before.ends_with("\n\n")) before.pop_back();
    if (std::getenv("ESPY_UPDATE") == nullptr) { EXPECT_EQ(got, after) << title; }
    written += fmt::format("{}=== {}\n{}---\n{}", written.empty() ? "" : "\n", title, before, got);
  }
  if (std::getenv("ESPY_UPDATE") != nullptr) std::ofstream(GetParam()) << written;
}

INSTANTIATE_TEST_SUITE_P(All, PassCases, testing::ValuesIn(files()),
                         [](const auto& info) { return info.param.stem().string(); });

/// Runs both on the same inputs; what can be seen must be the same.
void expect_same(const Module& before, const Module& after, std::uint64_t seed, std::string_view what) {
  auto checked = check(after);
  ASSERT_TRUE(checked.has_value()) << what << " seed " << seed << ": " << describe(checked.error()) << print(before) << print(after);
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    Seen wanted = run_and_see(before, FuncId{0}, seed * 100 + run), got = run_and_see(after, FuncId{0}, seed * 100 + run);
    if (wanted.too_long) continue;
    ASSERT_TRUE(wanted.ended) << seed;
    ASSERT_EQ(wanted, got) << what << " seed " << seed << " run " << run << "\n" << print(before) << "\n" << print(after);
  }
}

TEST(Passes, EachKeepsWhatRandomProgramsDo) {
  for (const PassRow& pass : passes())
    for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
      Module before = RandomProgram(seed).make();
      ASSERT_TRUE(check(before).has_value()) << describe(check(before).error()) << print(before);
      Module after = before;
      for (Function& function : after.functions) pass.run(after, function, {});
      expect_same(before, after, seed, pass.name);
      if (HasFatalFailure()) return;
    }
}

TEST(Passes, TogetherKeepWhatRandomProgramsDo) {
  for (std::uint64_t seed = 0; seed < kPrograms * 4; ++seed) {
    Module before = RandomProgram(seed).make(20 + seed % 80), after = before;
    optimise(after, {.level = seed % 8 == 0 ? 1U : 2U, .divide_by_multiply = seed % 2 == 0, .hoist_cheap = seed % 3 == 0});
    expect_same(before, after, seed, "optimise");
    if (HasFatalFailure()) return;
  }
}

TEST(Passes, DivisionsByConstantsAreExact) {
  std::mt19937_64 random(1);
  for (Op op : {Op::mul, Op::udiv, Op::urem, Op::sdiv, Op::srem})
    for (Type type : {kI32, kI64})
      for (int i = 0; i < 300; ++i) {
        std::uint64_t divisor = i < 64 ? std::uint64_t{1} << i : i < 128 ? static_cast<std::uint64_t>(i - 60) : random() >> (random() % 64);
        if (i % 3 == 0) divisor = 0 - divisor;
        Module before;
        Builder b(before[before.add_function("f", type, {type})]);
        b.ret(b.binary(op, b.param(0), b.constant(type, static_cast<std::int64_t>(divisor))));
        Module after = before;
        reduce_strength(after.functions[0], {.divide_by_multiply = true});
        for (int run = 0; run < 20; ++run) {
          // Around multiples of the divisor is where a quotient goes wrong.
          std::uint64_t x = run < 10 ? (random() | 0xfffff00000000000) * divisor - 1 + static_cast<std::uint64_t>(run % 3) : random() >> (random() % 64);
          if (run == 0) x = ~std::uint64_t{0};
          if (run == 1) x = std::uint64_t{1} << (type.bits() - 1);
          Machine a(before), c(after);
          ASSERT_EQ(a.run(FuncId{0}, std::array{x}).value(), c.run(FuncId{0}, std::array{x}).value())
              << x << print(before) << print(after);
        }
      }
}

TEST(Passes, TextOfRandomProgramsReadsBack) {
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    std::string text = print(RandomProgram(seed).make());
    Result<Module> module = parse(text);
    ASSERT_TRUE(module.has_value()) << describe(module.error()) << text;
    ASSERT_EQ(print(*module), text);
  }
}

}  // namespace
}  // namespace espy::ir
