#include "trace/run/format.hpp"

#include <gtest/gtest.h>

#include "trace/run/test_names.hpp"

namespace espy::trace::run {
namespace {

using testing::bytes;
using testing::TestNames;

std::string formatted(const std::string& flags, const std::string& conversion, const Type& type, Bytes value) {
  Format format({{.literal = "", .flags = flags, .conversion = conversion}}, {{.name = {}, .type = type, .offset = 0}});
  TestNames names;
  std::string out;
  format.append(value, names, out);
  return out;
}

struct IntegerCase {
  const char *flags, *conversion;
  long long value;
};

// What C's printf does with a long long, we do too.
TEST(Format, IntegersAsC) {
  const long long values[] = {0, 1, -1, 7, 42, -42, 255, 65536, 1LL << 40, INT64_MAX, INT64_MIN};
  const char* flags[] = {"", "5", "-5", "05", "+", " ", "#", "#x", ".3", "8.3", "-8.3", "08.3", "+5", "-+8", "020", "#20", "#020", ".0", "-20"};
  for (const char* flag : flags) {
    std::string text = flag;
    if (text.ends_with('x')) continue;
    for (const char* conversion : {"d", "i", "u", "x", "X", "o"}) {
      for (long long value : values) {
        char expected[128];
        const std::string format = fmt::format("%{}ll{}", text, conversion);
        std::snprintf(expected, sizeof expected, format.c_str(), value);
        EXPECT_EQ(formatted(text, conversion, int64_type(), bytes(value)), expected) << format << ' ' << value;
        EXPECT_EQ(formatted(text, std::string("ll") + conversion, int64_type(), bytes(value)), expected) << format << ' ' << value;
      }
    }
  }
}

struct Row {
  const char *flags, *conversion;
  Type type;
  std::vector<std::byte> value;
  const char* expected;
};

TEST(Format, Values) {
  const std::vector<Row> rows = {
      {"", "d", integer_type(1, true), bytes(std::int8_t{-5}), "-5"},
      {"", "d", integer_type(1, false), bytes(std::uint8_t{251}), "251"},
      {"", "d", integer_type(4, false), bytes(0xffffffffU), "4294967295"},
      {"", "u", integer_type(8, true), bytes(std::int64_t{-1}), "18446744073709551615"},
      {"", "x", integer_type(4, true), bytes(-1), "ffffffffffffffff"},
      {"", "hx", integer_type(8, true), bytes(std::int64_t{70000}), "1170"},
      {"", "hd", integer_type(8, true), bytes(std::int64_t{70000}), "4464"},
      {"", "hhd", integer_type(8, true), bytes(std::int64_t{300}), "44"},
      {"", "hhd", integer_type(8, true), bytes(std::int64_t{200}), "-56"},
      {"", "c", int64_type(), bytes(std::int64_t{'A'}), "A"},
      {"3", "c", int64_type(), bytes(std::int64_t{'A'}), "  A"},
      {"-3", "c", int64_type(), bytes(std::int64_t{'A'}), "A  "},
      {"", "p", uint64_type(), bytes(std::uint64_t{0xdead}), "0xdead"},
      {"12", "p", uint64_type(), bytes(std::uint64_t{0xdead}), "      0xdead"},
      {"", "d", boolean_type(), bytes(true), "1"},
      {"", "s", boolean_type(), bytes(true), "true"},
      {"", "s", int64_type(), bytes(std::int64_t{-3}), "-3"},
      {"", "s", string_type(8), testing::padded("abc", 8), "abc"},
      {"6", "s", string_type(8), testing::padded("abc", 8), "   abc"},
      {"-6", "s", string_type(8), testing::padded("abc", 8), "abc   "},
      {".2", "s", string_type(8), testing::padded("abc", 8), "ab"},
      {"", "s", string_type(4), testing::padded("abcd", 4), "abcd.."},
      {"", "s", string_type(5), testing::padded("abc", 5), "abc"},
      {"", "d", string_type(5), testing::padded("abc", 5), "abc"},
      {"", "r", buffer_type(4), bytes(3U, 'a', '\1', '\x7f', 'z'), "a\\x01\\x7f"},
      {"", "rx", buffer_type(4), bytes(2U, 'a', '\1', 'x', 'z'), "\\x61\\x01"},
      {"", "rh", buffer_type(4), bytes(3U, 'a', '\1', 'b', 'z'), "61 01 62"},
      {"8", "r", buffer_type(4), bytes(1U, 'a', '\1', 'b', 'z'), "       a"},
      {"", "r", buffer_type(4), bytes(9999U, 'a', 'b', 'c', 'd'), "abcd"},
      {"", "gr", uint64_type(), bytes(std::uint64_t{0xcc0}), "GFP_KERNEL"},
      {"", "gr", uint64_type(), bytes(std::uint64_t{0xdc0}), "GFP_KERNEL|__GFP_ZERO"},
      {"", "s", simple_type(Kind::ksym), bytes(std::uint64_t{0x10}), "k10"},
      {"", "s", simple_type(Kind::usym), bytes(std::uint64_t{0x10}, 7U, 1U), "u10/7/1"},
      {"", "s", simple_type(Kind::inet), bytes(2U, std::uint64_t{0x0100007f}, std::uint64_t{0}), "127.0.0.1"},
      {"-12", "s", simple_type(Kind::inet), bytes(2U, std::uint64_t{0x0100007f}, std::uint64_t{0}), "127.0.0.1   "},
      {"", "s", simple_type(Kind::mac), bytes(std::uint32_t{0x4dc018ff}, std::uint16_t{0x2e08}), "FF:18:C0:4D:08:2E"},
      {"", "q", int64_type(), bytes(std::int64_t{1}), "%q"},
  };
  for (const Row& row : rows) EXPECT_EQ(formatted(row.flags, row.conversion, row.type, row.value), row.expected) << row.flags << row.conversion;
}

TEST(Format, PiecesAndOffsets) {
  Format format({{.literal = "a ", .conversion = "d"}, {.literal = ", b ", .conversion = "s"}, {.literal = "!\n"}},
                {{.name = {}, .type = int64_type(), .offset = 8}, {.name = {}, .type = string_type(8), .offset = 16}});
  TestNames names;
  std::string out;
  auto record = bytes(std::uint64_t{0}, std::int64_t{5});
  auto text = testing::padded("xyz", 8);
  record.insert(record.end(), text.begin(), text.end());
  format.append(record, names, out);
  EXPECT_EQ(out, "a 5, b xyz!\n");
  // A record that was cut reads as zeroes.
  out.clear();
  format.append(Bytes(record).first(10), names, out);
  EXPECT_EQ(out, "a 5, b !\n");
  out.clear();
  format.append({}, names, out);
  EXPECT_EQ(out, "a 0, b !\n");
}

TEST(Format, MissingArgumentsShowTheirDirectives) {
  Format format({{.literal = "x ", .flags = "-5", .conversion = "d"}, {.literal = " y"}}, {});
  TestNames names;
  std::string out;
  format.append({}, names, out);
  EXPECT_EQ(out, "x %-5d y");
}

TEST(Format, WidthsAreBounded) {
  const std::string out = formatted("99999999999999999999", "d", int64_type(), bytes(std::int64_t{1}));
  EXPECT_LE(out.size(), std::size_t{1} << 16);
}

}  // namespace
}  // namespace espy::trace::run
