// Histograms: rows of `[4, 8)   3 |@@@@    |`, from the first bucket that counts to the last.
//
// A bound of hist() is shown as a number while buckets hold one value each, else with the suffix of its power of two: 1K is
// 1024. Bounds of lhist() have suffixes where the step is a multiple of 1024.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "trace/run/histogram.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

constexpr int kBarWidth = 52;

// A bound as it is shown, and whether it is just a number: two of these with one value between them are shown as `[5]`.
struct Bound {
  std::string text;
  std::int64_t value = 0;
  bool is_plain = true;
};

// The bound below bucket `index` (1 or more); above it for index + 1.
Bound hist_bound(std::uint32_t index, std::uint32_t bits) {
  const std::uint32_t j = index - 1, n = 1U << bits;
  if (j <= 2 * n) return {fmt::to_string(j), j, true};
  const std::uint32_t power = (j >> bits) - 1;
  const std::uint64_t steps = n + (j & (n - 1));
  const std::string_view suffixes[] = {"", "K", "M", "G", "T", "P", "E"};
  return {fmt::format("{}{}", steps << (power % 10), suffixes[std::min<std::size_t>(power / 10, 6)]), static_cast<std::int64_t>(steps << power), false};
}

Bound lhist_bound(std::int64_t value, std::int64_t step) {
  constexpr std::int64_t kKilo = 1024, kMega = kKilo * 1024;
  if (step % kKilo != 0) return {fmt::to_string(value), value, true};
  if (value != 0 && value % kMega == 0) return {fmt::format("{}M", value / kMega), value, false};
  if (value != 0 && value % kKilo == 0) return {fmt::format("{}K", value / kKilo), value, false};
  return {fmt::to_string(value), value, false};
}

// nullopt: there is none on this side.
std::optional<Bound> lower_bound_of(const Type& type, std::uint32_t index) {
  if (index == 0) return std::nullopt;
  if (type.kind == Kind::hist) return hist_bound(index, type.shape.bits);
  return lhist_bound(lhist_lower(index, type.shape.min, type.shape.step), type.shape.step);
}

std::optional<Bound> upper_bound_of(const Type& type, std::uint32_t index) {
  if (type.kind == Kind::hist) return hist_bound(index + 1, type.shape.bits);
  const std::int64_t value = lhist_lower(index + 1, type.shape.min, type.shape.step);
  if (value > type.shape.max) return std::nullopt;
  return lhist_bound(value, type.shape.step);
}

std::string row_label(const Type& type, std::uint32_t index) {
  const auto lower = lower_bound_of(type, index), upper = upper_bound_of(type, index);
  if (!lower) return fmt::format("(..., {})", upper ? upper->text : "...");
  if (!upper) return fmt::format("[{}, ...)", lower->text);
  if (lower->is_plain && upper->is_plain && lower->value + 1 == upper->value) return fmt::format("[{}]", lower->text);
  return fmt::format("[{}, {})", lower->text, upper->text);
}

// The first and the last bucket that count, as [first, last).
std::pair<std::uint32_t, std::uint32_t> used(const std::vector<std::uint64_t>& buckets) {
  auto counts = [](std::uint64_t bucket) { return bucket != 0; };
  auto first = std::ranges::find_if(buckets, counts);
  auto last = std::find_if(buckets.rbegin(), buckets.rend(), counts).base();
  if (first == buckets.end()) return {0, 0};
  return {static_cast<std::uint32_t>(first - buckets.begin()), static_cast<std::uint32_t>(last - buckets.begin())};
}

// div has no effect on linear histograms.
std::uint64_t divisor(const Type& type, std::uint64_t div) { return type.kind == Kind::lhist || div == 0 ? 1 : div; }

}  // namespace

std::vector<std::uint64_t> buckets_of(const Type& type, Bytes value) {
  const std::size_t count = type.kind == Kind::hist ? hist_buckets(type.shape.bits) : lhist_buckets(type.shape.min, type.shape.max, type.shape.step);
  std::vector<std::uint64_t> buckets(std::min(count, value.size() / 8));
  if (!buckets.empty()) std::memcpy(buckets.data(), value.data(), buckets.size() * 8);
  return buckets;
}

void append_histogram_text(const Type& type, const std::vector<std::uint64_t>& buckets, std::uint64_t div, std::string& out) {
  const auto [first, last] = used(buckets);
  div = divisor(type, div);
  std::uint64_t most = 0;
  for (std::uint32_t i = first; i < last; ++i) most = std::max(most, buckets[i] / div);
  for (std::uint32_t i = first; i < last; ++i) {
    const std::uint64_t count = buckets[i] / div;
    const int bar = most == 0 ? 0 : static_cast<int>(static_cast<float>(count) / static_cast<float>(most) * kBarWidth);
    fmt::format_to(std::back_inserter(out), "{:<16}{:>8} |{:@<{}}{:<{}}|\n", row_label(type, i), count, "", bar, "", kBarWidth - bar);
  }
}

void append_histogram_json(const Type& type, const std::vector<std::uint64_t>& buckets, std::uint64_t div, std::string& out) {
  const auto [first, last] = used(buckets);
  div = divisor(type, div);
  out += '[';
  for (std::uint32_t i = first; i < last; ++i) {
    out += i == first ? "{" : ",{";
    if (auto lower = lower_bound_of(type, i)) out += "\"min\": ", append_json_number(lower->value, out), out += ", ";
    if (auto upper = upper_bound_of(type, i)) {
      // The bound itself is not in the bucket; that of the last is 2^63, whose predecessor is the largest number.
      out += "\"max\": ";
      append_json_number(static_cast<std::int64_t>(static_cast<std::uint64_t>(upper->value) - 1), out);
      out += ", ";
    }
    out += "\"count\": ";
    append_number(buckets[i] / div, out);
    out += '}';
  }
  out += ']';
}

}  // namespace espy::trace::run
