#include "trace/run/maps.hpp"

#include <gtest/gtest.h>

#include <map>

#include "kernel/test_support.hpp"
#include "trace/run/histogram.hpp"
#include "trace/run/test_names.hpp"

namespace espy::trace::run {
namespace {

using testing::bytes;
using testing::padded;
using testing::TestNames;

// An engine that has nothing but one map.
class OneMap final : public Engine {
 public:
  explicit OneMap(unsigned cpus = 2) : cpus_(cpus) {}
  std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>> entries;

  Result<void> fire(const ProgramPlan&) override { return {}; }
  Result<Attached> attach(const ProgramPlan&, int) override { return Attached{}; }
  Result<void> run_iterators() override { return {}; }
  void unwatch(std::uint64_t) override {}
  void stop() override {}
  void detach() override {}
  Result<std::size_t> drain(kernel::RecordSink) override { return std::size_t{0}; }
  std::vector<int> wake_descriptors() const override { return {}; }
  std::uint64_t lost() const override { return 0; }
  std::optional<MapHandle> find_map(std::string_view) const override { return MapHandle{}; }
  unsigned cpus() const override { return cpus_; }
  Result<void> for_each(MapHandle, const std::function<bool(Bytes, Bytes)>& visit) const override {
    for (const auto& [key, value] : entries)
      if (!visit(key, value)) break;
    return {};
  }
  Result<bool> lookup(MapHandle, Bytes, MutableBytes) const override { return false; }
  Result<void> update(MapHandle, Bytes key, Bytes value) override {
    for (auto& entry : entries)
      if (std::ranges::equal(entry.first, key)) entry.second.assign(value.begin(), value.end());
    return {};
  }
  Result<void> erase(MapHandle, Bytes key) override {
    std::erase_if(entries, [&](const auto& entry) { return std::ranges::equal(entry.first, key); });
    return {};
  }

 private:
  unsigned cpus_;
};

std::string shown(const OneMap& engine, const MapPlan& plan, bool json = false, PrintOptions options = {}) {
  auto entries = read_entries(engine, MapHandle{}, plan);
  if (!entries) return describe(entries.error());
  sort_entries(plan, *entries);
  TestNames names;
  std::string out;
  if (json) append_map_json(plan, *entries, options, names, out);
  else append_map_text(plan, *entries, options, names, out);
  return out;
}

Type aggregate(Kind kind, bool is_signed = true) {
  Type type = simple_type(kind);
  type.is_signed = is_signed;
  return type;
}

constexpr std::int64_t operator""_s(unsigned long long value) { return static_cast<std::int64_t>(value); }

TEST(Maps, CountsOfAllCpusByValue) {
  OneMap engine;
  engine.entries = {{bytes(7_s), bytes(3_s, 4_s)}, {bytes(8_s), bytes(1_s, 0_s)}, {bytes(6_s), bytes(7_s, 0_s)}};
  MapPlan plan{.name = "@x", .map = "AT_x", .key = int64_type(), .value = simple_type(Kind::count), .per_cpu = true, .key_bytes = 8, .value_bytes = 8};
  EXPECT_EQ(shown(engine, plan), "@x[8]: 1\n@x[6]: 7\n@x[7]: 7\n");
  EXPECT_EQ(shown(engine, plan, false, {.top = 1}), "@x[7]: 7\n");
  EXPECT_EQ(shown(engine, plan, false, {.div = 3}), "@x[8]: 0\n@x[6]: 2\n@x[7]: 2\n");
  EXPECT_EQ(shown(engine, plan, true), "{\"@x\": {\"8\": 1, \"6\": 7, \"7\": 7}}");
  TestNames names;
  ASSERT_OK(zero_map(engine, MapHandle{}, plan));
  EXPECT_EQ(shown(engine, plan, false, {.top = 1}), "@x[8]: 0\n");
  ASSERT_OK(clear_map(engine, MapHandle{}, plan));
  EXPECT_EQ(shown(engine, plan), "");
  EXPECT_EQ(shown(engine, plan, true), "{\"@x\": {}}");
}

TEST(Maps, ScalarsAreShownOnceSet) {
  OneMap engine;
  MapPlan plan{.name = "@", .map = "AT_", .value = aggregate(Kind::sum), .per_cpu = true, .key_bytes = 4, .value_bytes = 16};
  engine.entries = {{bytes(0), bytes(5_s, 0_s, 9_s, 0_s)}};   // neither CPU has set it
  EXPECT_EQ(shown(engine, plan), "");
  EXPECT_EQ(shown(engine, plan, true), "{\"@\": {}}");
  engine.entries = {{bytes(0), bytes(5_s, 0_s, -9_s, 1_s)}};
  EXPECT_EQ(shown(engine, plan), "@: -9\n");
  EXPECT_EQ(shown(engine, plan, true), "{\"@\": -9}");
  ASSERT_OK(zero_map(engine, MapHandle{}, plan));
  EXPECT_EQ(shown(engine, plan), "@: 0\n");
  ASSERT_OK(clear_map(engine, MapHandle{}, plan));
  EXPECT_EQ(shown(engine, plan), "");
}

TEST(Maps, ExtremesAveragesAndStats) {
  OneMap engine;
  MapPlan plan{.name = "@m", .map = "AT_m", .key = string_type(8), .per_cpu = true, .key_bytes = 8, .value_bytes = 16};
  engine.entries = {{padded("a", 8), bytes(-5_s, 1_s, 3_s, 1_s)}, {padded("b", 8), bytes(-100_s, 0_s, 9_s, 1_s)}};
  plan.value = aggregate(Kind::min);
  EXPECT_EQ(shown(engine, plan), "@m[a]: -5\n@m[b]: 9\n");
  plan.value = aggregate(Kind::max);
  EXPECT_EQ(shown(engine, plan), "@m[a]: 3\n@m[b]: 9\n");
  plan.value = aggregate(Kind::max, false);
  EXPECT_EQ(shown(engine, plan), "@m[b]: 9\n@m[a]: 18446744073709551611\n");

  engine.entries = {{padded("a", 8), bytes(-5_s, 1_s, -6_s, 1_s)}, {padded("b", 8), bytes(10_s, 4_s, 2_s, 2_s)}};
  plan.value = aggregate(Kind::avg);
  EXPECT_EQ(shown(engine, plan), "@m[a]: -5\n@m[b]: 2\n");
  EXPECT_EQ(shown(engine, plan, true), "{\"@m\": {\"a\": -5, \"b\": 2}}");
  plan.value = aggregate(Kind::stats);
  EXPECT_EQ(shown(engine, plan), "@m[a]: { .count = 2, .average = -5, .total = -11 }\n@m[b]: { .count = 6, .average = 2, .total = 12 }\n");
  EXPECT_EQ(shown(engine, plan, true), "{\"@m\": {\"a\": {\"count\": 2, \"average\": -5, \"total\": -11}, \"b\": {\"count\": 6, \"average\": 2, \"total\": 12}}}");
}

TEST(Maps, ValuesWithoutAnOrderStandByKey) {
  OneMap engine(1);
  const Type key = tuple_of({integer_type(4, true), string_type(4)});
  auto entry = [&](int number, std::string_view name, std::string_view value) {
    auto bytes_of_key = bytes(number);
    auto text = padded(name, 4);
    bytes_of_key.insert(bytes_of_key.end(), text.begin(), text.end());
    return std::pair{bytes_of_key, padded(value, 8)};
  };
  engine.entries = {entry(2, "b", "x"), entry(2, "a", "y"), entry(-1, "z", "w z")};
  MapPlan plan{.name = "@t", .map = "AT_t", .key = key, .value = string_type(8), .key_bytes = 8, .value_bytes = 8};
  EXPECT_EQ(shown(engine, plan), "@t[-1, z]: w z\n@t[2, a]: y\n@t[2, b]: x\n");
  EXPECT_EQ(shown(engine, plan, true), "{\"@t\": {\"-1,z\": \"w z\", \"2,a\": \"y\", \"2,b\": \"x\"}}");
}

MapPlan hist_plan(std::uint32_t bits) {
  Type value = simple_type(Kind::hist);
  value.shape.bits = bits;
  return {.name = "@h", .map = "AT_h", .value = value, .per_cpu = true, .key_bytes = 4, .value_bytes = (hist_buckets(bits) + 1) * 8};
}

std::vector<std::byte> hist_value(std::uint32_t bits, std::initializer_list<std::int64_t> values) {
  std::vector<std::uint64_t> buckets(hist_buckets(bits) + 1);
  for (std::int64_t value : values) ++buckets[hist_index(value, bits)];
  buckets.back() = 1;
  auto raw = std::as_bytes(std::span(buckets));
  return {raw.begin(), raw.end()};
}

TEST(Maps, Histograms) {
  OneMap engine(1);
  engine.entries = {{bytes(0), hist_value(0, {5, 5, 5, 5, -1, 0, 1, 40})}};
  EXPECT_EQ(shown(engine, hist_plan(0)),
            "@h:\n"
            "(..., 0)               1 |@@@@@@@@@@@@@                                       |\n"
            "[0]                    1 |@@@@@@@@@@@@@                                       |\n"
            "[1]                    1 |@@@@@@@@@@@@@                                       |\n"
            "[2, 4)                 0 |                                                    |\n"
            "[4, 8)                 4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[8, 16)                0 |                                                    |\n"
            "[16, 32)               0 |                                                    |\n"
            "[32, 64)               1 |@@@@@@@@@@@@@                                       |\n\n");
  engine.entries = {{bytes(0), hist_value(0, {1500, 70000, 3 << 20, std::int64_t{1} << 62})}};
  const std::string text = shown(engine, hist_plan(0));
  for (const char* label : {"[1K, 2K)", "[64K, 128K)", "[2M, 4M)", "[4E, 8E)"}) EXPECT_NE(text.find(label), std::string::npos) << text;
  EXPECT_TRUE(shown(engine, hist_plan(0), true).starts_with("{\"@h\": [{\"min\": 1024, \"max\": 2047, \"count\": 1},{\"min\": 2048,"));
  EXPECT_TRUE(shown(engine, hist_plan(0), true).ends_with("\"max\": \"9223372036854775807\", \"count\": 1}]}"));

  engine.entries = {{bytes(0), hist_value(2, {6, 9, 230})}};
  const std::string fine = shown(engine, hist_plan(2));
  for (const char* label : {"[6] ", "[7] ", "[8, 10)", "[224, 256)"}) EXPECT_NE(fine.find(label), std::string::npos) << fine;
}

TEST(Maps, LinearHistograms) {
  OneMap engine(1);
  Type value = simple_type(Kind::lhist);
  value.shape = {.min = 0, .max = 30, .step = 10};
  MapPlan plan{.name = "@l", .map = "AT_l", .value = value, .key_bytes = 4, .value_bytes = 48};
  engine.entries = {{bytes(0), bytes(1_s, 2_s, 0_s, 0_s, 1_s, 1_s)}};
  EXPECT_EQ(shown(engine, plan),
            "@l:\n"
            "(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[0, 10)                2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[10, 20)               0 |                                                    |\n"
            "[20, 30)               0 |                                                    |\n"
            "[30, ...)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n\n");
  EXPECT_EQ(shown(engine, plan, true),
            "{\"@l\": [{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 9, \"count\": 2},{\"min\": 10, \"max\": 19, \"count\": 0},"
            "{\"min\": 20, \"max\": 29, \"count\": 0},{\"min\": 30, \"count\": 1}]}");
}

TEST(Maps, BucketsInKeysAreJoined) {
  OneMap engine(1);
  Type value = simple_type(Kind::lhist);
  value.shape = {.min = 0, .max = 2, .step = 1};
  MapPlan plan{.name = "@k", .map = "AT_k", .key = int64_type(), .value = value, .bucket_in_key = true, .key_bytes = 16, .value_bytes = 8};
  engine.entries = {{bytes(9_s, 1_s), bytes(5_s)}, {bytes(4_s, 2_s), bytes(1_s)}, {bytes(9_s, 2_s), bytes(2_s)}, {bytes(9_s, 77_s), bytes(2_s)}};
  EXPECT_EQ(shown(engine, plan, true), "{\"@k\": {\"4\": [{\"min\": 1, \"max\": 1, \"count\": 1}], \"9\": [{\"min\": 0, \"max\": 0, \"count\": 5},{\"min\": 1, \"max\": 1, \"count\": 2}]}}");
}

TEST(Maps, TimeSeries) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  OneMap engine;
  Type value = simple_type(Kind::tseries);
  value.is_signed = true;
  value.shape = {.interval_ns = 1'000'000'000, .intervals = 4, .aggregate = Kind::sum};
  MapPlan plan{.name = "@s", .map = "AT_s", .value = value, .per_cpu = true, .key_bytes = 4, .value_bytes = 4 * 24 + 8};
  // CPU 0: seconds 8 and 6; CPU 1: seconds 8 and (too old) 3. Slot = second % 4.
  auto cpu0 = bytes(8_s, 10_s, 1_s, 0_s, 0_s, 0_s, 6_s, 4_s, 2_s, 0_s, 0_s, 0_s, 1_s);
  auto cpu1 = bytes(8_s, 5_s, 1_s, 0_s, 0_s, 0_s, 0_s, 0_s, 0_s, 3_s, 99_s, 1_s, 1_s);
  cpu0.insert(cpu0.end(), cpu1.begin(), cpu1.end());
  engine.entries = {{bytes(0), cpu0}};
  EXPECT_EQ(shown(engine, plan, true),
            "{\"@s\": [{\"interval_start\": \"1970-01-01T00:00:06.000000000\", \"value\": 4},{\"interval_start\": \"1970-01-01T00:00:07.000000000\", \"value\": null},"
            "{\"interval_start\": \"1970-01-01T00:00:08.000000000\", \"value\": 15}]}");
  const std::string text = shown(engine, plan);
  EXPECT_TRUE(text.starts_with("@s:\n         4                                                  15\nhh:mm:ss |")) << text;
  EXPECT_NE(text.find("\n00:00:06 *"), std::string::npos) << text;
  EXPECT_NE(text.find("|                                                   | -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("* 15\n         v___"), std::string::npos) << text;
}

TEST(Maps, HostileShapesAreHarmless) {
  OneMap engine(1);
  Type value = simple_type(Kind::lhist);
  value.shape = {.min = 5, .max = 1, .step = 0};
  MapPlan plan{.name = "@h", .map = "AT_h", .value = value, .key_bytes = 4, .value_bytes = 16};
  engine.entries = {{bytes(0), bytes(1_s, 1_s)}};
  shown(engine, plan);
  plan.value = simple_type(Kind::tseries);
  shown(engine, plan);
  plan.value = simple_type(Kind::stats);
  plan.value_bytes = 0;
  EXPECT_EQ(shown(engine, plan), "");
}

}  // namespace
}  // namespace espy::trace::run
