// One loaded program, run by many threads at once: on each tier, with maps that all of them use.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "object/asm.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

constexpr std::string_view kText = R"(
.map total type=array key=4 value=8 max_entries=1
.map each type=percpu_array key=4 value=8 max_entries=1
.map seen type=hash key=4 value=8 max_entries=64
.section raw_tp/x
.func main
  r6 = *(u64 *)(r1 + 0)
  *(u32 *)(r10 - 4) = 0
  r2 = r10
  r2 += -4
  r1 = total ll
  call 1
  if r0 == 0 goto out
  r1 = 1
  lock *(u64 *)(r0 + 0) += r1
  r2 = r10
  r2 += -4
  r1 = each ll
  call 1
  if r0 == 0 goto out
  r1 = r6
  lock *(u64 *)(r0 + 0) += r1
  *(u32 *)(r10 - 4) = r6
  *(u64 *)(r10 - 16) = 0
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r4 = 1
  r1 = seen ll
  call 2
  r2 = r10
  r2 += -4
  r1 = seen ll
  call 1
  if r0 == 0 goto out
  r1 = 1
  lock *(u64 *)(r0 + 0) += r1
  r1 = 4
  r2 = turn ll
  r3 = r10
  r3 += -16
  r4 = 0
  call 181
out:
  r0 = r6
  r0 *= 3
  exit
.section .text
.func turn
  r1 += 1
  *(u64 *)(r2 + 0) = r1
  r0 = 0
  exit
)";

std::uint64_t number(const std::vector<std::byte>& bytes, std::size_t at = 0) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at * 8, 8);
  return value;
}

void run_by_many(const LoadOptions& options) {
  constexpr unsigned kThreads = 4, kRuns = 2000, kKeys = 16;
  auto spec = object::assemble_object(kText, "test");
  ASSERT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), target());
  ASSERT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked), options);
  ASSERT_TRUE(object) << describe(object.error());
  const Program& program = (*object)->programs()[0];
  std::array<unsigned, kThreads> wrong{};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (std::uint64_t turn = 0; turn < kRuns; ++turn) {
          std::uint64_t context = turn % kKeys;
          auto result = program.run({.context = &context, .context_bytes = sizeof context});
          if (!result || result->value != context * 3) ++wrong[i];
        }
      });
    }
  }
  for (unsigned count : wrong) EXPECT_EQ(count, 0U);
  const std::uint32_t zero = 0;
  const auto key = std::as_bytes(std::span(&zero, 1));
  EXPECT_EQ(number(**(*object)->find_map("total")->read(key)), std::uint64_t{kThreads} * kRuns);
  const auto each = **(*object)->find_map("each")->read(key);
  std::uint64_t sum = 0, seen = 0;
  for (std::size_t cpu = 0; cpu < each.size() / 8; ++cpu) sum += number(each, cpu);
  EXPECT_EQ(sum, std::uint64_t{kThreads} * kRuns / kKeys * (kKeys * (kKeys - 1) / 2));
  for (std::uint32_t k = 0; k < kKeys; ++k) seen += number(**(*object)->find_map("seen")->read(std::as_bytes(std::span(&k, 1))));
  EXPECT_EQ(seen, std::uint64_t{kThreads} * kRuns);
}

TEST(Threads, RunOneInterpretedProgram) { run_by_many({}); }
TEST(Threads, RunOneProgramOfTheBaseline) { run_by_many({.tier = Tier::baseline}); }
TEST(Threads, RunOneOptimisedProgram) { run_by_many({.tier = Tier::optimised}); }
TEST(Threads, RunOneBoundedProgram) { run_by_many({.tier = Tier::optimised, .bounded = true, .blinded = true}); }

}  // namespace
}  // namespace espy::vm
