#include "trace/run/histogram.hpp"

#include <gtest/gtest.h>

#include <random>

namespace espy::trace {
namespace {

// Bounds and index are written down separately; each bucket's bounds must lead back to it, and all values be covered.
TEST(Histogram, BoundsAndIndexAgree) {
  for (std::uint32_t bits = 0; bits <= kMaxHistBits; ++bits) {
    for (std::uint32_t bucket = 1; bucket < hist_buckets(bits); ++bucket) {
      const std::int64_t lower = hist_lower(bucket, bits);
      const auto last = static_cast<std::int64_t>(hist_upper(bucket, bits) - 1);
      ASSERT_LE(lower, last) << bits << ' ' << bucket;
      ASSERT_EQ(hist_index(lower, bits), bucket) << bits;
      ASSERT_EQ(hist_index(last, bits), bucket) << bits;
      if (bucket + 1 < hist_buckets(bits)) { ASSERT_EQ(hist_upper(bucket, bits), static_cast<std::uint64_t>(hist_lower(bucket + 1, bits))); }
    }
    EXPECT_EQ(hist_lower(1, bits), 0);
    EXPECT_EQ(hist_upper(hist_buckets(bits) - 1, bits), std::uint64_t{1} << 63);
  }
}

TEST(Histogram, EveryValueIsInItsBucket) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random() % (kMaxHistBits + 1));
    const auto value = static_cast<std::int64_t>(random() >> (random() % 64));
    const std::uint32_t bucket = hist_index(value, bits);
    ASSERT_LT(bucket, hist_buckets(bits));
    if (value < 0) { ASSERT_EQ(bucket, 0U); continue; }
    ASSERT_LE(hist_lower(bucket, bits), value) << value << ' ' << bits;
    ASSERT_LT(static_cast<std::uint64_t>(value), hist_upper(bucket, bits)) << value << ' ' << bits;
  }
}

TEST(Histogram, SubBucketsCutEachPowerOfTwo) {
  EXPECT_EQ(hist_index(7, 2), 8U);           // still one value a bucket
  EXPECT_EQ(hist_index(8, 2), hist_index(9, 2));
  EXPECT_NE(hist_index(9, 2), hist_index(10, 2));
  EXPECT_EQ(hist_lower(hist_index(224, 2), 2), 224);
  EXPECT_EQ(hist_upper(hist_index(224, 2), 2), 256U);
}

TEST(Histogram, Linear) {
  EXPECT_EQ(lhist_buckets(0, 100, 10), 12U);
  EXPECT_EQ(lhist_index(-1, 0, 100, 10), 0U);
  EXPECT_EQ(lhist_index(0, 0, 100, 10), 1U);
  EXPECT_EQ(lhist_index(99, 0, 100, 10), 10U);
  EXPECT_EQ(lhist_index(100, 0, 100, 10), 11U);
  for (std::int64_t value = -40; value < 140; ++value) {
    const std::uint32_t bucket = lhist_index(value, -20, 100, 7);
    ASSERT_LT(bucket, lhist_buckets(-20, 100, 7));
    if (value >= -20 && value < 100) {
      ASSERT_LE(lhist_lower(bucket, -20, 7), value);
      ASSERT_LT(value, lhist_lower(bucket + 1, -20, 7));
    }
  }
  EXPECT_EQ(lhist_buckets(0, 0, 1), 2U);     // nonsense stays harmless
  EXPECT_EQ(lhist_index(5, 10, 10, 0), 0U);
}

}  // namespace
}  // namespace espy::trace
