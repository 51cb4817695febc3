#include "render/record_table.hpp"

#include "types.hpp"

namespace espy::render {
namespace {

TEST(Table, AlignsByCodePoints) {
  Table table({{"name"}, {"count", Align::right}});
  table.add({"grün", "5"});
  table.add({"a", "1234567"});
  EXPECT_EQ(table.text(), "name    count\ngrün        5\na     1234567\n");
}

TEST(Table, StreamingColumnsOnlyGrow) {
  StreamingTable table({{"pid", Align::right}, {"comm"}, {"path"}}, {5, 4, 4});
  EXPECT_EQ(table.header(), "  pid  comm  path\n");
  EXPECT_EQ(table.row({"1", "a", "/x"}), "    1  a     /x\n");
  EXPECT_EQ(table.row({"1234567", "longer", "/"}), "1234567  longer  /\n");
  EXPECT_EQ(table.row({"1", "a", "/x"}), "      1  a       /x\n");
  EXPECT_EQ(table.row({"1"}), "      1\n");
}

TEST(Histogram, ScalesToTheLargestAndTrimsBothEnds) {
  EXPECT_EQ(histogram(log2_buckets({0, 0, 4, 8, 0}), "usecs"),
            "usecs    count\n"
            "[4, 8)       4 |@@@@@@@@@@@@@@@@@@@@                    |\n"
            "[8, 16)      8 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
  EXPECT_EQ(histogram(log2_buckets({0, 0}), "usecs"), "");
  EXPECT_EQ(log2_buckets(std::vector<std::uint64_t>(64))[63].label, "[8E, 16E)");
  EXPECT_EQ(log2_buckets({1})[0].label, "[0, 2)");
  // A count that is next to nothing still shows.
  EXPECT_NE(histogram(linear_buckets({1, 1'000'000}), "").find("0        1 |@ "), std::string::npos);
}

TEST(RecordColumns, FlattenAndAlign) {
  Shape shape(types(), type_id("event"));
  RecordColumns columns(shape, "event");
  std::vector<std::string> titles;
  for (const auto& column : columns.columns()) titles.push_back(column.title);
  EXPECT_EQ(titles, (std::vector<std::string>{"ts_ns", "pid", "comm", "verdict", "at.x", "at.y"}));
  event v{.ts_ns = 1'000, .pid = 12, .comm = "bash", .verdict = VERDICT_DROP, .at = {3, -4}};
  EXPECT_EQ(columns.cells(bytes_of(v), {}), (std::vector<std::string>{"0.000001", "12", "bash", "VERDICT_DROP", "3", "-4"}));
  StreamingTable table(columns.columns(), columns.widths());
  EXPECT_EQ(table.header(), "ts_ns                pid  comm             verdict             at.x     at.y\n");
  EXPECT_EQ(table.row(columns.cells(bytes_of(v), {})), "0.000001              12  bash             VERDICT_DROP           3       -4\n");
}

TEST(RecordColumns, OneColumnForWhatIsNoStruct) {
  Shape shape(types(), type_id("counter_t", btf::Kind::typedef_));
  RecordColumns columns(shape, "value");
  EXPECT_EQ(columns.columns().size(), 1U);
  std::uint64_t v = 7;
  EXPECT_EQ(columns.cells(bytes_of(v), {}), std::vector<std::string>{"7"});
}

}  // namespace
}  // namespace espy::render
