#include "render/map.hpp"

#include <arpa/inet.h>

#include "types.hpp"

namespace espy::render {
namespace {

template <typename T>
std::vector<std::byte> copy(const T& value) {
  Bytes bytes = bytes_of(value);
  return {bytes.begin(), bytes.end()};
}

Shape shape_of(std::string_view name, btf::Kind kind = btf::Kind::struct_) { return Shape(types(), type_id(name, kind)); }

MapView counters(MapNature nature, const std::vector<std::pair<std::uint32_t, std::uint64_t>>& entries, std::string name) {
  MapView map{.name = std::move(name), .nature = nature, .key = shape_of("__u32", btf::Kind::typedef_), .value = shape_of("counter_t", btf::Kind::typedef_)};
  for (auto [key, value] : entries) map.entries.push_back({copy(key), copy(value)});
  return map;
}

TEST(MapText, RowsByFallingValue) {
  EXPECT_EQ(text(counters(MapNature::plain, {{7, 1}, {8, 300}, {9, 20}}, "by_pid")), "key  value\n  8    300\n  9     20\n  7      1\n");
}

TEST(MapText, ArraySlotsThatAreZeroSayNothing) {
  std::string shown = text(counters(MapNature::array, {{0, 0}, {1, 5}, {2, 0}, {3, 4}}, "errors"));
  EXPECT_EQ(shown, "key  value\n  1      5\n  3      4\n");
  EXPECT_EQ(text(counters(MapNature::array, {{0, 0}}, "errors")), "(empty)\n");
}

TEST(MapText, LimitSaysWhatWasLeftOut) {
  EXPECT_EQ(text(counters(MapNature::plain, {{7, 1}, {8, 300}, {9, 20}}, "by_pid"), {}, 2), "key  value\n  8    300\n  9     20\n… 1 more\n");
}

TEST(MapText, StructsAreFlattened) {
  MapView map{.name = "flows", .key = shape_of("flow_key"), .value = shape_of("flow_value")};
  flow_key key{.saddr = htonl(0x0a000001), .dport = htons(53), .protocol = 17, .pad = 0};
  flow_value value{};
  value.packets = 3, value.bytes = 180;
  std::memcpy(value.comm, "dig", 3);
  map.entries.push_back({copy(key), copy(value)});
  std::string shown = text(map);
  EXPECT_TRUE(shown.starts_with("saddr     dport  protocol  pad  packets  bytes  comm  last_ts   level  share  rest\n")) << shown;
  EXPECT_NE(shown.find("10.0.0.1     53        17    0        3    180  dig"), std::string::npos) << shown;
  JsonWriter json;
  write_entries(json, map);
  EXPECT_EQ(json.text(), R"([{"key":{"saddr":"10.0.0.1","dport":53,"protocol":17,"pad":0},"value":{"packets":3,"bytes":180,"comm":"dig","last_ts":0,"level":0,"share":0,"rest":0}}])");
}

TEST(MapText, HistogramsAreDrawn) {
  hist value{};
  value.slots[2] = 10, value.slots[3] = 5;
  std::memcpy(value.comm, "dd", 2);
  MapView map{.name = "lat_us", .key = shape_of("__u32", btf::Kind::typedef_), .value = shape_of("hist")};
  map.entries.push_back({copy(std::uint32_t{77}), copy(value)});
  EXPECT_EQ(text(map),
            "key = 77, comm = dd\n"
            "usecs    count\n"
            "[4, 8)      10 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[8, 16)      5 |@@@@@@@@@@@@@@@@@@@@                    |\n");
  // An array map of counters is one histogram if its name says so, else a table.
  EXPECT_TRUE(text(counters(MapNature::array, {{0, 1}, {1, 5}, {2, 0}}, "hist_ns")).starts_with("nsecs   count\n[0, 2)      1 |"));
  EXPECT_TRUE(text(counters(MapNature::array, {{0, 1}, {1, 5}}, "totals")).starts_with("key  value\n"));
  EXPECT_FALSE(find_histogram(shape_of("event"), "hist"));
}

TEST(MapText, StacksAndIds) {
  std::uint64_t stack[4] = {0x1000, 0x2000, 0, 0x3000};
  MapView stacks{.name = "stacks", .nature = MapNature::stack_trace, .key = shape_of("__u32", btf::Kind::typedef_), .value = {}};
  stacks.entries.push_back({copy(std::uint32_t{5}), copy(stack)});
  ValueOptions options{.symbol = [](std::uint64_t address) { return address == 0x1000 ? "do_exit" : ""; }};
  EXPECT_EQ(text(stacks, options), "5:\n    do_exit\n    0x2000\n");
  JsonWriter json;
  write_entries(json, stacks, options);
  EXPECT_EQ(json.text(), R"([{"key":5,"value":["do_exit","0x2000"]}])");
  MapView ids{.name = "tails", .nature = MapNature::ids, .key = shape_of("__u32", btf::Kind::typedef_), .value = {}};
  ids.entries.push_back({copy(std::uint32_t{1}), copy(std::uint32_t{99})});
  EXPECT_EQ(text(ids), "key  value\n  1  id 99\n");
}

TEST(SectionText, VariablesAndHistograms) {
  std::vector<Shape::Variable> variables = {{"a_counter", type_id("a_counter", btf::Kind::var), 0, 8},
                                            {"a_hist_us", type_id("a_hist_us", btf::Kind::var), 8, 128},
                                            {"some_hists", type_id("some_hists", btf::Kind::var), 136, 3 * sizeof(hist)}};
  Shape shape(types(), variables);
  std::vector<std::byte> contents(shape.root().size);
  const Field* histogram = shape.field("a_hist_us");
  const Field* counter = shape.field("a_counter");
  ASSERT_TRUE(histogram != nullptr && counter != nullptr);
  contents[histogram->bit_offset / 8 + 8] = std::byte{3};
  contents[counter->bit_offset / 8] = std::byte{42};
  contents[136 + sizeof(hist) + 4] = std::byte{9};
  std::string shown = section_text(shape, contents);
  EXPECT_NE(shown.find("some_hists[1]:\nvalue   count\n[2, 4)      9 |@@@"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("some_hists[0]"), std::string::npos);
  EXPECT_TRUE(shown.starts_with("a_counter = 42\na_hist_us:\nusecs   count\n[2, 4)      3 |@@@")) << shown;
}

}  // namespace
}  // namespace espy::render
