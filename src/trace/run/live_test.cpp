#include "trace/run/live.hpp"

#include <gtest/gtest.h>

#include "trace/run/test_names.hpp"

namespace espy::trace::run {
namespace {

using testing::bytes;
using testing::padded;
using testing::TestNames;

Entries counts(std::initializer_list<std::pair<const char*, std::uint64_t>> rows) {
  Entries entries(16, 8);
  for (const auto& [key, count] : rows) {
    MutableBytes value = entries.add(padded(key, 16));
    std::memcpy(value.data(), &count, 8);
  }
  return entries;
}

const MapPlan kPlan{.name = "@", .map = "AT_", .key = string_type(16), .value = simple_type(Kind::count), .per_cpu = true, .key_bytes = 16, .value_bytes = 8};

TEST(Live, LargestFirstWithRates) {
  TestNames names;
  LiveMap before;
  std::string out;
  append_live_map(kPlan, counts({{"a", 5}, {"b", 100}}), before, 0, 10, 80, names, out);
  EXPECT_EQ(out, "@\n  b                                                     100\n  a                                                       5\n");
  out.clear();
  append_live_map(kPlan, counts({{"new", 3}, {"a", 25}, {"b", 40100}}), before, 2.0, 10, 80, names, out);
  EXPECT_EQ(out, "@\n"
                 "  b                                                   40100      20.0K/s\n"
                 "  a                                                      25         10/s\n"
                 "  new                                                     3          2/s\n");
}

TEST(Live, FitsTheWindow) {
  TestNames names;
  LiveMap before;
  std::string out;
  append_live_map(kPlan, counts({{"a", 1}, {"b\nx", 2}, {"cc", 3}, {"dddddddddddddddd", 4}}), before, 0, 3, 20, names, out);
  EXPECT_EQ(out, "@  (2 of 4)\n  dddddddddd\n  cc\n");
  for (std::size_t columns = 0; columns < 30; ++columns) {
    out.clear();
    append_live_map(kPlan, counts({{"abc", 1}}), before, 1, 5, columns, names, out);
    for (std::size_t at = out.find('\n') + 1; at < out.size(); at = out.find('\n', at) + 1) EXPECT_LE(out.find('\n', at) - at, columns);
  }
}

}  // namespace
}  // namespace espy::trace::run
