// Programs on the interpreter and on both compiled tiers: the same result.
#include <gtest/gtest.h>

#include "object/asm.hpp"
#include "object/target.hpp"
#include "vm/helpers/table.hpp"
#include "vm/maps/references.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

/// r0 of the text's first program on each tier.
void expect_all(std::string_view text, std::uint64_t expected) {
  for (Tier tier : {Tier::interpreter, Tier::baseline, Tier::optimised})
    for (bool guarded : {false, true}) {   // bounded and blinded
      auto spec = object::assemble_object(text, "test");
      ASSERT_TRUE(spec) << describe(spec.error());
      auto linked = object::link(std::move(*spec), object::Target{});
      ASSERT_TRUE(linked) << describe(linked.error());
      auto object = Object::load(std::move(*linked), {.tier = tier, .bounded = guarded, .blinded = guarded});
      ASSERT_TRUE(object) << describe(object.error());
      EXPECT_EQ((*object)->programs()[0].fallback(), "");
      std::array<std::uint64_t, 8> context{1, 2, 3, 4, 5, 6, 7, 8};
      auto result = (*object)->programs()[0].run({.context = context.data(), .context_bytes = sizeof context});
      ASSERT_TRUE(result) << describe(result.error());
      EXPECT_EQ(result->value, expected) << "tier " << static_cast<int>(tier) << (guarded ? ", bounded and blinded" : "");
    }
}

TEST(Compiled, CallsEightFramesDeep) {
  std::string text = ".section raw_tp/x\n.func main\n  r1 = 1\n  call f1\n  exit\n.section .text\n";
  for (int i = 1; i <= 7; ++i) {
    text += fmt::format(".func f{}\n  *(u64 *)(r10 - 8) = r1\n  r1 += {}\n", i, i);
    if (i < 7) text += fmt::format("  call f{}\n", i + 1);
    else text += "  r0 = r1\n";
    text += "  r1 = *(u64 *)(r10 - 8)\n  r0 += r1\n  exit\n";
  }
  // f(i) is given 1 + (1 + … + (i - 1)); each adds what it was given, the last one also what it passes on.
  expect_all(text, (1 + 28) + 1 + 2 + 4 + 7 + 11 + 16 + 22);
}

TEST(Compiled, CallbacksOfALoop) {
  expect_all(R"(
.section raw_tp/x
.func main
  *(u64 *)(r10 - 8) = 100
  r1 = 10
  r2 = turn ll
  r3 = r10
  r3 += -8
  r4 = 0
  call 181
  r1 = *(u64 *)(r10 - 8)
  r0 *= 1000
  r0 += r1
  exit
.section .text
.func turn
  r3 = *(u64 *)(r2 + 0)
  r3 += r1
  *(u64 *)(r2 + 0) = r3
  r0 = 0
  if r1 != 6 goto out
  r0 = 1
out:
  exit
)", 7 * 1000 + 100 + 21);
}

TEST(Compiled, IndirectCalls) {
  expect_all(R"(
.section raw_tp/x
.func main
  r6 = *(u64 *)(r1 + 8)
  r7 = double ll
  if r6 != 3 goto call
  r7 = triple ll
call:
  r1 = r6
  r2 = 5
  callx r7
  r1 = r0
  r2 = 1
  r7 = triple ll
  callx r7
  exit
.section .text
.func double
  r0 = r1
  r0 *= 2
  exit
.func triple
  r0 = r1
  r0 *= 3
  r0 += r2
  exit
)", 2 * 2 * 3 + 1);
}

TEST(Compiled, Atomics) {
  expect_all(R"(
.section raw_tp/x
.func main
  *(u64 *)(r10 - 8) = 12
  *(u64 *)(r10 - 16) = 0
  r6 = 10
  lock *(u64 *)(r10 - 8) += r6
  r2 = 6
  r2 = atomic_fetch_and((u64 *)(r10 - 8), r2)
  r3 = 9
  r3 = atomic_fetch_or((u64 *)(r10 - 8), r3)
  r4 = 3
  r4 = atomic_fetch_xor((u64 *)(r10 - 8), r4)
  r5 = 77
  r5 = xchg_64(r10 - 8, r5)
  r0 = 77
  r7 = 5
  r0 = cmpxchg_64(r10 - 8, r0, r7)
  r8 = *(u64 *)(r10 - 8)
  r1 = r2
  r1 *= 31
  r1 += r3
  r1 *= 31
  r1 += r4
  r1 *= 31
  r1 += r5
  r1 *= 31
  r1 += r0
  r1 *= 31
  r1 += r8
  r0 = r1
  exit
)", ((((22ULL * 31 + 6) * 31 + 15) * 31 + 12) * 31 + 77) * 31 + 5);
}

TEST(Compiled, MoreValuesThanRegisters) {
  std::string text = ".section raw_tp/x\n.func main\n  r9 = r1\n";
  // 30 values that live across a call, kept in the frame, and summed with different weights.
  for (int i = 1; i <= 30; ++i) text += fmt::format("  r2 = *(u64 *)(r9 + {})\n  r2 *= {}\n  *(u64 *)(r10 - {}) = r2\n", i % 8 * 8, i, i * 8);
  text += "  call 5\n  r0 = 0\n";
  for (int i = 30; i >= 1; --i) text += fmt::format("  r2 = *(u64 *)(r10 - {})\n  r0 += r2\n  r0 *= 3\n", i * 8);
  text += "  exit\n";
  std::uint64_t expected = 0;
  for (std::uint64_t i = 30; i >= 1; --i) expected = (expected + (i % 8 + 1) * i) * 3;
  expect_all(text, expected);
}

TEST(Compiled, DivisionsByConstants) {
  std::string text = ".section raw_tp/x\n.func main\n  r6 = 0x123456789abcdef ll\n  r0 = 0\n";
  std::uint64_t expected = 0;
  for (std::uint32_t c : {3U, 5U, 7U, 10U, 641U, 1000U, 65535U, 1000003U, 0x7fffffffU}) {
    text += fmt::format("  r1 = r6\n  r1 /= {0}\n  r0 ^= r1\n  r1 = r6\n  r1 %= {0}\n  r0 += r1\n  w1 = w6\n  w1 /= {0}\n  r0 ^= r1\n  w1 = w6\n  w1 %= {0}\n  r0 += r1\n  r6 *= 0x7654321\n", c);
  }
  std::uint64_t x = 0x123456789abcdef;
  for (std::uint32_t c : {3U, 5U, 7U, 10U, 641U, 1000U, 65535U, 1000003U, 0x7fffffffU}) {
    const auto low = static_cast<std::uint32_t>(x);
    expected ^= x / c;
    expected += x % c;
    expected ^= low / c;
    expected += low % c;
    x *= 0x7654321;
  }
  text += "  exit\n";
  expect_all(text, expected);
}

TEST(Compiled, LookupsInArrays) {
  // Keys inside, the last, the first outside, and far outside.
  std::string text = ".map values type=array key=4 value=12 max_entries=5\n.section raw_tp/x\n.func main\n  r6 = 0\n";
  for (int key : {0, 4, 5, -1}) {
    text += fmt::format("  *(u32 *)(r10 - 4) = {0}\n  r1 = values ll\n  r2 = r10\n  r2 += -4\n  call 1\n  if r0 == 0 goto missing{1}\n"
                        "  r1 = *(u32 *)(r0 + 8)\n  r6 += r1\n  r6 += 1\n  *(u32 *)(r0 + 8) = {2}\n  goto next{1}\nmissing{1}:\n  r6 += 100\nnext{1}:\n",
                        key, key + 1, key + 7);
  }
  text += "  r0 = r6\n  exit\n";
  expect_all(text, 2 + 200);
}

TEST(Compiled, LookupsInArraysOfEachCpu) {
  expect_all(R"(
.map values type=percpu_array key=4 value=16 max_entries=3
.section raw_tp/x
.func main
  r6 = 0
  call 8
  r7 = r0
again:
  *(u32 *)(r10 - 4) = r6
  r1 = values ll
  r2 = r10
  r2 += -4
  call 1
  if r0 == 0 goto out
  r1 = r6
  r1 += 5
  lock *(u64 *)(r0 + 8) += r1
  r1 = *(u64 *)(r0 + 8)
  r6 += 1
  r1 = values ll
  r2 = r10
  r2 += -4
  r3 = r7
  call 195
  if r0 == 0 goto out
  r8 = *(u64 *)(r0 + 8)
  goto again
out:
  r0 = r6
  r0 *= 100
  r0 += r8
  exit
)", 307);
}

TEST(Compiled, LoopsOfCallbacksThatAreKnown) {
  expect_all(R"(
.section raw_tp/x
.func main
  *(u64 *)(r10 - 8) = 1
  r1 = 5
  r2 = turn ll
  r3 = r10
  r3 += -8
  r4 = 0
  call 181
  r6 = r0
  r1 = 0x7fffffff
  r2 = turn ll
  r3 = r10
  r3 += -8
  r4 = 0
  call 181
  r6 += r0
  r1 = 0
  r2 = turn ll
  r3 = r10
  r3 += -8
  r4 = 0
  call 181
  r6 += r0
  r0 = *(u64 *)(r10 - 8)
  r0 *= 1000
  r0 += r6
  exit
.section .text
.func turn
  r3 = *(u64 *)(r2 + 0)
  r3 *= 3
  r3 += r1
  *(u64 *)(r2 + 0) = r3
  r0 = 0
  exit
)", ((((1 * 3 + 0) * 3 + 1) * 3 + 2) * 3 + 3) * 3 * 1000ULL + 4 * 1000 + 5 + 0xfffffff9ULL);
}

std::unique_ptr<Object> loaded(std::string_view text, const LoadOptions& options) {
  auto spec = object::assemble_object(text, "test");
  EXPECT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), target(options.registry));
  EXPECT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked), options);
  EXPECT_TRUE(object) << describe(object.error());
  return object ? std::move(*object) : nullptr;
}

constexpr Tier kTiers[] = {Tier::interpreter, Tier::baseline, Tier::optimised};

std::uint64_t weighted(std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t, std::uint64_t) { return a * 10 + b; }
std::uint64_t sum_of(std::uint64_t at, std::uint64_t size, std::uint64_t, std::uint64_t, std::uint64_t) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < size; ++i) sum += *pointer<const std::uint8_t>(at + i);
  return sum;
}

TEST(Compiled, HelpersAndKfuncsOfOnesOwn) {
  auto registry = std::make_shared<Registry>();
  const facts::Argument number{.kind = facts::Arg::anything};
  ASSERT_TRUE(registry->add_helper(1000, "weighted", {.args = {number, number}}, weighted));
  ASSERT_TRUE(registry->add_kfunc("sum_of", {.args = {facts::Argument{.kind = facts::Arg::mem}, facts::Argument{.kind = facts::Arg::const_size}}}, sum_of));
  EXPECT_FALSE(registry->add_kfunc("sum_of", {}, sum_of));
  EXPECT_FALSE(registry->add_helper(12, "tail", {}, sum_of));
  EXPECT_FALSE(registry->add_helper(1001, "gap", {.args = {facts::Argument{}, number}}, sum_of));
  constexpr std::string_view kText = R"(
.extern sum_of kfunc
.section raw_tp/x
.func main
  r1 = 4
  r2 = 2
  call 1000
  r6 = r0
  *(u32 *)(r10 - 4) = 0x01020304
  r1 = r10
  r1 += -4
  r2 = SIZE
  call kfunc[sum_of]
  r0 += r6
  exit
)";
  for (Tier tier : kTiers) {
    std::string text(kText);
    text.replace(text.find("SIZE"), 4, "4");
    auto object = loaded(text, {.tier = tier, .registry = registry});
    ASSERT_NE(object, nullptr);
    auto result = object->programs()[0].run({});
    ASSERT_TRUE(result) << describe(result.error());
    EXPECT_EQ(result->value, 42U + 10U);
  }
  std::string text(kText);
  text.replace(text.find("SIZE"), 4, "8");   // beyond the stack's end: safe mode reads the prototype
  auto result = loaded(text, {.registry = registry})->programs()[0].run({});
  ASSERT_FALSE(result);
  EXPECT_NE(describe(result.error()).find("`sum_of`: argument 1"), std::string::npos) << describe(result.error());
}

TEST(Compiled, ExceptionsLeaveCallbacksAndTheirHelpers) {
  for (Tier tier : kTiers) {
    auto object = loaded(R"(
.extern bpf_throw kfunc
.map values type=hash key=4 value=8 max_entries=4
.section raw_tp/x
.func main
  *(u32 *)(r10 - 4) = 1
  *(u64 *)(r10 - 16) = 2
  r1 = values ll
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r4 = 0
  call 2
  r1 = 10
  r2 = turn ll
  r3 = 0
  r4 = 0
  call 181
  r0 = 1
  exit
.section .text
.func turn
  r6 = r1
  r1 = values ll
  r2 = each ll
  r3 = 0
  r4 = 0
  if r6 != 3 goto out
  call 164
out:
  r0 = 0
  exit
.func each
  r1 = *(u64 *)(r3 + 0)
  r1 *= 21
  call kfunc[bpf_throw]
  r0 = 0
  exit
)", {.tier = tier});
    ASSERT_NE(object, nullptr);
    EXPECT_EQ(object->programs()[0].fallback(), "");
    auto result = object->programs()[0].run({});
    ASSERT_TRUE(result) << describe(result.error());
    EXPECT_EQ(result->value, 42U);
  }
}

TEST(Compiled, ABudgetEndsWhatGoesRound) {
  constexpr std::string_view kTexts[] = {
      ".section raw_tp/x\n.func f\n  r6 = 0\nagain:\n  r6 += 1\n  call 5\n  goto again\n  exit\n",
      ".section raw_tp/x\n.func f\n  r6 = r1\nagain:\n  r6 *= 3\n  if r6 != 77 goto again\n  r0 = 1\n  exit\n",
      ".section raw_tp/x\n.func f\n  r1 = 0x100000\n  r2 = turn ll\n  r3 = 0\n  r4 = 0\n  call 181\n  exit\n.section .text\n.func turn\n  call 5\n  r0 = 0\n  exit\n"};
  for (std::string_view text : kTexts)
    for (Tier tier : {Tier::baseline, Tier::optimised}) {
      auto object = loaded(text, {.tier = tier, .bounded = true});
      std::array<std::uint64_t, 1> context{};
      auto result = object->programs()[0].run({.context = context.data(), .context_bytes = 8, .budget = 100000});
      ASSERT_FALSE(result);
      EXPECT_NE(describe(result.error()).find("budget"), std::string::npos) << describe(result.error());
    }
}

/// The bytes of a number, as machine code would have them.
bool stands_in(const Compiled& compiled, std::uint32_t number) {
  const std::span code(compiled.code(), compiled.code_bytes());
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &number, 4);
  return !std::ranges::search(code, bytes).empty();
}

TEST(Compiled, BlindedConstantsDoNotStandInTheCode) {
  constexpr std::string_view kText = ".section raw_tp/x\n.func f\n  r0 = *(u64 *)(r1 + 0)\n  r0 ^= 0x12345678\n  r2 = 0x1122334455667788 ll\n  r0 += r2\n"
                                     "  *(u32 *)(r1 + 8) = 0x7f6e5d4c\n  w3 = w0\n  if w3 == 0x5a5b5c5d goto out\n  r0 *= 0x13579bdf\nout:\n  exit\n";
  for (Tier tier : {Tier::baseline, Tier::optimised})
    for (bool blinded : {false, true}) {
      auto object = loaded(kText, {.tier = tier, .blinded = blinded});
      for (std::uint32_t number : {0x12345678U, 0x55667788U, 0x7f6e5d4cU, 0x5a5b5c5dU, 0x13579bdfU}) {
        EXPECT_EQ(stands_in(*object->programs()[0].compiled(), number), !blinded) << fmt::format("{:x}", number);
      }
    }
}

TEST(Compiled, ReadOnlyDataIsNumbers) {
  // Beneath the text: .rodata with 7 and -2 as 32-bit numbers.
  object::ObjectSpec spec;
  {
    auto made = object::assemble_object(".map constants type=array key=4 value=8 max_entries=1\n.section raw_tp/x\n.func f\n  r1 = map_value[constants]+0 ll\n"
                                        "  r0 = *(u32 *)(r1 + 0)\n  r2 = *(s32 *)(r1 + 4)\n  r0 *= 6\n  r0 += r2\n  exit\n", "test");
    ASSERT_TRUE(made) << describe(made.error());
    spec = std::move(*made);
  }
  const std::array<std::int32_t, 2> numbers{7, -2};
  const auto bytes = std::as_bytes(std::span(numbers));
  spec.maps[0].origin = object::MapOrigin::rodata;
  spec.maps[0].flags = 0x80;   // BPF_F_RDONLY_PROG
  spec.maps[0].contents.assign(bytes.begin(), bytes.end());
  auto linked = object::link(std::move(spec), target());
  ASSERT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked), Tier::optimised);
  ASSERT_TRUE(object) << describe(object.error());
  EXPECT_EQ((*object)->programs()[0].run({})->value, 40U);
  EXPECT_LE((*object)->programs()[0].compiled()->code_bytes(), 32U);   // a move, and a return, behind 16 bytes of traps
  const std::uint32_t zero = 0;
  EXPECT_FALSE((*object)->maps()[0]->write(std::as_bytes(std::span(&zero, 1)), bytes));
}

TEST(Compiled, ContextsThatAreTooShortAreAnError) {
  for (Tier tier : {Tier::baseline, Tier::optimised}) {
    auto object = loaded(".section raw_tp/x\n.func f\n r0 = *(u64 *)(r1 + 24)\n exit\n", {.tier = tier});
    std::array<std::uint64_t, 4> context{1, 2, 3, 4};
    EXPECT_FALSE(object->programs()[0].run({}));
    EXPECT_FALSE(object->programs()[0].run({.context = context.data(), .context_bytes = 24}));
    EXPECT_TRUE(object->programs()[0].run({.context = context.data(), .context_bytes = 32}));
    EXPECT_FALSE(loaded(".section xdp\n.func f\n r0 = *(u32 *)(r1 + 8)\n exit\n", {.tier = tier})->programs()[0].run({}));
  }
}

TEST(Compiled, TailCallsOfProgramsThatAreNotCompiled) {
  // The second program is compiled elsewhere, or not at all: the array does not care.
  constexpr std::string_view kText = ".map next type=prog_array key=4 value=4 max_entries=2\n.section raw_tp/x\n.func first\n"
                                     "  r6 = r1\n  r2 = next ll\n  r3 = 0\n  call 12\n  r0 = 1\n  exit\n";
  auto interpreted = loaded(".section raw_tp/y\n.func second\n  r0 = *(u64 *)(r1 + 8)\n  r0 += 40\n  exit\n", {});
  auto faulty = loaded(".section raw_tp/y\n.func second\n  r0 = 0\n  callx r0\n  exit\n", {});
  auto on_packet = loaded(".section xdp\n.func f\n r2 = 0\n call 44\n exit\n", {});
  for (Tier tier : kTiers) {
    auto object = loaded(kText, {.tier = tier});
    std::array<std::uint64_t, 2> context{1, 2};
    const RunInput input{.context = context.data(), .context_bytes = sizeof context};
    const Program& first = *object->find_program("first");
    EXPECT_EQ(first.run(input)->value, 1U);
    auto* programs = dynamic_cast<ProgramArray*>(object->find_map("next").get());
    ASSERT_NE(programs, nullptr);
    ASSERT_TRUE(programs->set(0, &interpreted->programs()[0]));
    EXPECT_EQ(first.run(input)->value, 42U);
    ASSERT_TRUE(programs->set(0, &faulty->programs()[0]));
    auto fault = first.run(input);
    ASSERT_FALSE(fault);
    EXPECT_NE(describe(fault.error()).find("no function"), std::string::npos) << describe(fault.error());
    ASSERT_TRUE(programs->set(0, nullptr));
    ASSERT_TRUE(programs->set(0, &on_packet->programs()[0]));
    EXPECT_FALSE(first.run(input));
  }
}

}  // namespace
}  // namespace espy::vm
