// How hist() and lhist() number their buckets. The compiler emits `index_of`, the run time prints by `lower_bound`.
//
// hist(n, k): bucket 0 holds the negative values. Of the others, the first 2·2^k hold one value each (0, 1, 2, …); above
// that, each power of two is cut into 2^k buckets of the same width. With k = 0 these are the plain powers of two:
// 0, 1, [2, 4), [4, 8), …  As a number: with j = index − 1 and N = 2^k, bucket j begins at j while j < 2N, else at
// (N + j mod N) · 2^(j / N − 1). Backwards, for v ≥ N with highest bit b: j = (b − k)·N + (v >> (b − k)), for any v < N: j = v.
//
// lhist(n, min, max, step): bucket 0 holds values below min, the last those from max on, the others are `step` wide.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace espy::trace {

/// k of hist(n, k) is at most this.
inline constexpr std::uint32_t kMaxHistBits = 5;

/// Number of buckets of hist(n, bits): 65 for bits = 0, 1889 for bits = 5.
constexpr std::uint32_t hist_buckets(std::uint32_t bits) { return 1 + ((64 - bits) << bits); }

/// The bucket that a value falls into.
constexpr std::uint32_t hist_index(std::int64_t value, std::uint32_t bits) {
  if (value < 0) return 0;
  const auto magnitude = static_cast<std::uint64_t>(value);
  if (magnitude >> bits == 0) return static_cast<std::uint32_t>(magnitude) + 1;
  const std::uint32_t shift = static_cast<std::uint32_t>(std::bit_width(magnitude)) - 1 - bits;
  return (shift << bits) + static_cast<std::uint32_t>(magnitude >> shift) + 1;
}

/// The least value of a bucket; the next bucket's is where it ends. Of bucket 0 (negative values) it is INT64_MIN; of one
/// past the last it is 2^63, which is why it is unsigned for those above: see hist_upper.
constexpr std::int64_t hist_lower(std::uint32_t index, std::uint32_t bits) {
  if (index == 0) return std::numeric_limits<std::int64_t>::min();
  const std::uint64_t j = index - 1, n = std::uint64_t{1} << bits;
  if (j < 2 * n) return static_cast<std::int64_t>(j);
  return static_cast<std::int64_t>((n + (j & (n - 1))) << ((j >> bits) - 1));
}

/// Where a bucket ends: the first value that is not in it any more (2^63 for the last).
constexpr std::uint64_t hist_upper(std::uint32_t index, std::uint32_t bits) {
  if (index == 0) return 0;
  return index + 1 == hist_buckets(bits) ? std::uint64_t{1} << 63 : static_cast<std::uint64_t>(hist_lower(index + 1, bits));
}

/// Number of buckets of lhist(n, min, max, step); step > 0 and max > min, or there are just the outer two.
constexpr std::uint32_t lhist_buckets(std::int64_t min, std::int64_t max, std::int64_t step) {
  if (step <= 0 || max <= min) return 2;
  const auto width = static_cast<std::uint64_t>(max) - static_cast<std::uint64_t>(min);
  return static_cast<std::uint32_t>(width / static_cast<std::uint64_t>(step)) + 2;
}

/// The bucket of lhist that a value falls into.
constexpr std::uint32_t lhist_index(std::int64_t value, std::int64_t min, std::int64_t max, std::int64_t step) {
  if (value < min) return 0;
  if (value >= max) return lhist_buckets(min, max, step) - 1;
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(min)) / static_cast<std::uint64_t>(step)) + 1;
}

/// The least value of a bucket of lhist that is not the first.
constexpr std::int64_t lhist_lower(std::uint32_t index, std::int64_t min, std::int64_t step) {
  return min + static_cast<std::int64_t>(index - 1) * step;
}

static_assert(hist_buckets(0) == 65 && hist_buckets(5) == 1889);
static_assert(hist_index(0, 0) == 1 && hist_index(1, 0) == 2 && hist_index(2, 0) == 3 && hist_index(3, 0) == 3 && hist_index(4, 0) == 4);
static_assert(hist_index(std::numeric_limits<std::int64_t>::max(), 0) == 64 && hist_index(-1, 3) == 0);
static_assert(hist_index(std::numeric_limits<std::int64_t>::max(), 5) == hist_buckets(5) - 1);

}  // namespace espy::trace
