// Numbers, held against every concrete outcome: sound always, and the best possible where the kernel's are.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "verifier/scalar.hpp"
#include "verifier/tnum.hpp"

namespace espy::verifier {
namespace {

constexpr unsigned kBits = 4;
constexpr std::uint64_t kValues = 1U << kBits;

/// Every Tnum of four bits.
std::vector<Tnum> small_tnums() {
  std::vector<Tnum> all;
  for (std::uint64_t mask = 0; mask < kValues; ++mask)
    for (std::uint64_t value = 0; value < kValues; ++value)
      if ((value & mask) == 0) all.push_back({value, mask});
  return all;
}

std::vector<std::uint64_t> members(Tnum tnum) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t n = 0; n < kValues; ++n)
    if (tnum.contains(n)) all.push_back(n);
  return all;
}

/// The smallest Tnum that contains all of these.
Tnum smallest(const std::vector<std::uint64_t>& numbers) {
  Tnum best = Tnum::constant(numbers.front());
  for (std::uint64_t n : numbers) best = join(best, Tnum::constant(n));
  return best;
}

template <typename Abstract, typename Concrete>
void expect_best(Abstract abstract, Concrete concrete, bool best) {
  for (Tnum a : small_tnums())
    for (Tnum b : small_tnums()) {
      std::vector<std::uint64_t> outcomes;
      for (std::uint64_t x : members(a))
        for (std::uint64_t y : members(b)) outcomes.push_back(concrete(x, y));
      const Tnum result = abstract(a, b);
      for (std::uint64_t n : outcomes) ASSERT_TRUE(result.contains(n)) << a.value << '/' << a.mask << " and " << b.value << '/' << b.mask << " give " << n;
      if (best) { ASSERT_EQ(result, smallest(outcomes)) << a.value << '/' << a.mask << " and " << b.value << '/' << b.mask; }
    }
}

TEST(Tnum, OperationsContainEveryOutcomeAndNoMoreThanTheyMust) {
  expect_best([](Tnum a, Tnum b) { return add(a, b); }, [](auto x, auto y) { return x + y; }, true);
  expect_best([](Tnum a, Tnum b) { return sub(a, b); }, [](auto x, auto y) { return x - y; }, true);
  expect_best([](Tnum a, Tnum b) { return bit_and(a, b); }, [](auto x, auto y) { return x & y; }, true);
  expect_best([](Tnum a, Tnum b) { return bit_or(a, b); }, [](auto x, auto y) { return x | y; }, true);
  expect_best([](Tnum a, Tnum b) { return bit_xor(a, b); }, [](auto x, auto y) { return x ^ y; }, true);
  expect_best([](Tnum a, Tnum b) { return join(a, b); }, [](auto x, auto) { return x; }, false);
  for (bool joined : {false, true})
    expect_best([joined](Tnum a, Tnum b) { return mul(a, b, joined); }, [](auto x, auto y) { return x * y; }, false);
}

TEST(Tnum, RangeIsTheSmallestThatHasBothEnds) {
  for (std::uint64_t low = 0; low < kValues; ++low)
    for (std::uint64_t high = low; high < kValues; ++high) {
      std::vector<std::uint64_t> numbers;
      for (std::uint64_t n = low; n <= high; ++n) numbers.push_back(n);
      EXPECT_EQ(Tnum::range(low, high), smallest(numbers));
    }
  EXPECT_TRUE(Tnum::range(0, ~std::uint64_t{0}).is_unknown());
}

TEST(Tnum, OverlapMeansACommonMember) {
  for (Tnum a : small_tnums())
    for (Tnum b : small_tnums()) {
      bool common = false;
      for (std::uint64_t n : members(a)) common = common || b.contains(n);
      EXPECT_EQ(a.overlaps(b), common);
      if (!common) continue;
      for (std::uint64_t n : members(a)) EXPECT_EQ(intersect(a, b).contains(n), b.contains(n));
    }
}

/// A Scalar around a few concrete numbers: what refinements and arithmetic leave.
struct Sample {
  Scalar scalar;
  std::vector<std::uint64_t> numbers;
};

class Scalars : public testing::Test {
 protected:
  Sample random_sample() {
    static constexpr std::uint64_t kEdges[] = {0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
                                               0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff,
                                               0xffffffff80000000, 0xffffffff7fffffff};
    const auto edge = [&] { return kEdges[random_() % std::size(kEdges)] + random_() % 5 - 2; };
    std::uint64_t first = random_() % 3 == 0 ? random_() : edge();
    Sample sample{Scalar::constant(first), {first}};
    for (unsigned i = 0, n = random_() % 4; i < n; ++i) {
      const std::uint64_t number = random_() % 2 == 0 ? first + random_() % 64 : edge();
      sample.numbers.push_back(number);
    }
    Scalar& s = sample.scalar;
    for (std::uint64_t n : sample.numbers) {
      s.bits = join(s.bits, Tnum::constant(n));
      s.umin = std::min(s.umin, n), s.umax = std::max(s.umax, n);
      s.smin = std::min(s.smin, static_cast<std::int64_t>(n)), s.smax = std::max(s.smax, static_cast<std::int64_t>(n));
      s.u32min = std::min(s.u32min, static_cast<std::uint32_t>(n)), s.u32max = std::max(s.u32max, static_cast<std::uint32_t>(n));
      s.s32min = std::min(s.s32min, static_cast<std::int32_t>(n)), s.s32max = std::max(s.s32max, static_cast<std::int32_t>(n));
    }
    // Sometimes less is known.
    if (random_() % 3 == 0) s.bits = Tnum::unknown();
    if (random_() % 3 == 0) s.forget_bounds32();
    if (random_() % 4 == 0) s.forget_bounds64();
    sync(s, how_);
    return sample;
  }

  static std::uint64_t concrete(Arithmetic operation, std::uint64_t a, std::uint64_t b, bool narrow) {
    if (narrow) {
      const auto x = static_cast<std::uint32_t>(a), y = static_cast<std::uint32_t>(b);
      switch (operation) {
        case Arithmetic::add: return x + y;
        case Arithmetic::sub: return x - y;
        case Arithmetic::mul: return x * y;
        case Arithmetic::and_: return x & y;
        case Arithmetic::or_: return x | y;
        case Arithmetic::xor_: return x ^ y;
        case Arithmetic::lsh: return x << (y & 31);
        case Arithmetic::rsh: return x >> (y & 31);
        case Arithmetic::arsh: return static_cast<std::uint32_t>(static_cast<std::int32_t>(x) >> (y & 31));
        case Arithmetic::neg: return -x;
        case Arithmetic::other: return 0;
      }
    }
    switch (operation) {
      case Arithmetic::add: return a + b;
      case Arithmetic::sub: return a - b;
      case Arithmetic::mul: return a * b;
      case Arithmetic::and_: return a & b;
      case Arithmetic::or_: return a | b;
      case Arithmetic::xor_: return a ^ b;
      case Arithmetic::lsh: return a << (b & 63);
      case Arithmetic::rsh: return a >> (b & 63);
      case Arithmetic::arsh: return static_cast<std::uint64_t>(static_cast<std::int64_t>(a) >> (b & 63));
      case Arithmetic::neg: return -a;
      case Arithmetic::other: return 0;
    }
    return 0;
  }

  static bool holds(Compare compare, std::uint64_t a, std::uint64_t b, bool narrow) {
    if (narrow) {
      const auto sa = static_cast<std::int32_t>(a), sb = static_cast<std::int32_t>(b);
      a = static_cast<std::uint32_t>(a), b = static_cast<std::uint32_t>(b);
      switch (compare) {
        case Compare::sgt: return sa > sb;
        case Compare::sge: return sa >= sb;
        case Compare::slt: return sa < sb;
        case Compare::sle: return sa <= sb;
        default: break;
      }
    }
    const auto sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
    switch (compare) {
      case Compare::eq: return a == b;
      case Compare::ne: return a != b;
      case Compare::gt: return a > b;
      case Compare::ge: return a >= b;
      case Compare::lt: return a < b;
      case Compare::le: return a <= b;
      case Compare::sgt: return sa > sb;
      case Compare::sge: return sa >= sb;
      case Compare::slt: return sa < sb;
      case Compare::sle: return sa <= sb;
      case Compare::set: return (a & b) != 0;
      case Compare::not_set: return (a & b) == 0;
    }
    return false;
  }

  std::mt19937_64 random_{20260};
  Deduction how_ = {};
};

TEST_F(Scalars, SyncKeepsEveryNumber) {
  for (int i = 0; i < 50000; ++i) {
    const Sample sample = random_sample();
    for (std::uint64_t n : sample.numbers) ASSERT_TRUE(sample.scalar.contains(n)) << n;
  }
}

TEST_F(Scalars, ArithmeticContainsEveryOutcome) {
  for (int i = 0; i < 150000; ++i) {
    for (Deduction how : {Deduction{}, Deduction{false, false, false, false, false, false, false, false, false, false}}) {
      const auto operation = static_cast<Arithmetic>(random_() % 10);
      const bool narrow = random_() % 2 == 0;
      const Sample a = random_sample();
      Sample b = random_sample();
      if (operation == Arithmetic::lsh || operation == Arithmetic::rsh || operation == Arithmetic::arsh) {
        const std::uint64_t by = random_() % (narrow ? 32 : 64);
        b = {Scalar::constant(by), {by}};
      }
      Scalar result = a.scalar;
      apply(operation, result, b.scalar, narrow, how);
      for (std::uint64_t x : a.numbers)
        for (std::uint64_t y : b.numbers)
          ASSERT_TRUE(result.contains(concrete(operation, x, y, narrow)))
              << "operation " << static_cast<int>(operation) << (narrow ? " 32 " : " 64 ") << x << ", " << y;
    }
  }
}

TEST_F(Scalars, ExtensionsContainEveryOutcome) {
  for (int i = 0; i < 100000; ++i) {
    const Sample a = random_sample();
    for (unsigned bytes : {1U, 2U, 4U}) {
      Scalar cut = a.scalar, extended = a.scalar, extended32 = a.scalar;
      truncate(cut, bytes, how_);
      sign_extend(extended, bytes, how_);
      if (bytes < 4) sign_extend32(extended32, bytes, how_);
      for (std::uint64_t n : a.numbers) {
        const unsigned drop = 64 - 8 * bytes;
        const auto wide = static_cast<std::int64_t>(n << drop) >> drop;
        ASSERT_TRUE(cut.contains(n << drop >> drop)) << n << " cut to " << bytes;
        ASSERT_TRUE(extended.contains(static_cast<std::uint64_t>(wide))) << n << " extended from " << bytes;
        if (bytes < 4) { ASSERT_TRUE(extended32.contains(static_cast<std::uint32_t>(wide))) << n << " extended to 32 from " << bytes; }
      }
    }
  }
}

TEST_F(Scalars, ComparisonsDecideAndRefineSoundly) {
  for (int i = 0; i < 200000; ++i) {
    const auto compare = static_cast<Compare>(random_() % 12);
    const bool narrow = random_() % 2 == 0;
    const Sample a = random_sample(), b = random_sample();
    const Decision decision = decide(compare, a.scalar, b.scalar, narrow, how_);
    Scalar left = a.scalar, right = b.scalar;
    refine(compare, left, right, narrow, how_);
    for (std::uint64_t x : a.numbers)
      for (std::uint64_t y : b.numbers) {
        const bool is = holds(compare, x, y, narrow);
        if (decision != Decision::unknown) { ASSERT_EQ(decision == Decision::always, is) << static_cast<int>(compare) << ' ' << x << ' ' << y; }
        if (!is) continue;
        ASSERT_TRUE(left.contains(x)) << static_cast<int>(compare) << (narrow ? " 32 " : " 64 ") << x << ' ' << y;
        ASSERT_TRUE(right.contains(y)) << static_cast<int>(compare) << (narrow ? " 32 " : " 64 ") << x << ' ' << y;
      }
  }
}

TEST_F(Scalars, BoundsOfOneWidthNarrowTheOther) {
  Scalar s;
  s.u32max = 10;
  s.umax = 0xffffffff;
  sync(s, how_);
  EXPECT_EQ(s.umax, 10U);
  EXPECT_EQ(s.smax, 10);
  EXPECT_EQ(s.smin, 0);
  EXPECT_EQ(s.bits.mask, 0xfU);
}

TEST_F(Scalars, WrappedSumsKeepTheirRange) {
  Scalar s;
  s.umin = ~std::uint64_t{0} - 3;
  sync(s, how_);
  apply(Arithmetic::add, s, Scalar::constant(8), false, how_);
  EXPECT_EQ(s.umin, 4U);
  EXPECT_EQ(s.umax, 7U);
}

}  // namespace
}  // namespace espy::verifier
