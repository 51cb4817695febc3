#include <gtest/gtest.h>

#include <cerrno>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace espy {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorKind::invalid_argument, "{} is odd", n);
  return n / 2;
}
Result<int> quarter(int n) { return TRY(half(TRY(half(n)))); }

TEST(Error, TryPassesValuesAndErrorsUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
}

TEST(Error, DescribesTheWholeChain) {
  Error cause{.kind = ErrorKind::rejected, .message = "no", .where = "a.o: insn 3", .hint = "check it"};
  Error error = wrap(cause, "load program `x`");
  EXPECT_EQ(error.kind, ErrorKind::rejected);
  EXPECT_EQ(describe(error), "error: load program `x`: no\n  at a.o: insn 3\n  hint: check it");
  EXPECT_EQ(one_line(error), "load program `x`: a.o: insn 3: no");
}

TEST(Error, SystemErrorsCarryTheirNumber) {
  Error error = fail_sys(-ENOENT, "open {}", "/x").error();
  EXPECT_EQ(error.sys, ENOENT);
  EXPECT_EQ(error.kind, ErrorKind::not_found);
  EXPECT_EQ(error.message, "open /x: No such file or directory");
}

TEST(Reader, StopsAtTheEnd) {
  std::vector<std::byte> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  Reader reader(bytes, "sample", Endian::big);
  EXPECT_EQ(reader.read<std::uint16_t>().value(), 0x0102);
  EXPECT_EQ(reader.read<std::uint32_t>().error().kind, ErrorKind::malformed);
  EXPECT_EQ(reader.offset(), 2U);
  EXPECT_EQ(reader.take(1)->size(), 1U);
  EXPECT_TRUE(reader.at_end());
}

TEST(Text, NumbersAreWholeOrNothing) {
  EXPECT_EQ(parse_number<int>("-0x10"), -16);
  EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
  EXPECT_EQ(parse_number<std::uint8_t>("256"), std::nullopt);
  EXPECT_EQ(parse_number<std::int8_t>("-128"), -128);
  EXPECT_EQ(parse_number<std::int8_t>("128"), std::nullopt);
  EXPECT_EQ(parse_number<int>("12x"), std::nullopt);
  EXPECT_EQ(parse_number<int>(""), std::nullopt);
}

TEST(Text, Globs) {
  EXPECT_TRUE(glob_match("sys_enter_*", "sys_enter_read"));
  EXPECT_TRUE(glob_match("*a*b?", "xxaxxbc"));
  EXPECT_FALSE(glob_match("a*b", "acbc"));
  EXPECT_TRUE(glob_match("", ""));
}

TEST(Text, SuggestsOnlyNearNames) {
  EXPECT_EQ(nearest("pidd", {"comm", "pid", "tgid"}), "pid");
  EXPECT_EQ(nearest("zebra", {"comm", "pid"}), "");
}

TEST(Json, QuotesAndSeparates) {
  JsonWriter json;
  json.begin_object().key("a").string("x\"\n\x01\xff").key("b").begin_array().number(1).number(-2).null().end_array().end_object();
  EXPECT_EQ(json.text(), R"({"a":"x\"\n\u0001\ufffd","b":[1,-2,null]})");
}

TEST(File, ReadsWhatHasNoSize) {
  EXPECT_TRUE(read_text_file("/proc/self/status")->starts_with("Name:"));
  EXPECT_EQ(read_text_file("/nowhere").error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_text_file("/proc/self/status", 10).error().kind, ErrorKind::exhausted);
  EXPECT_EQ(read_text_file("/sys/bus/event_source/devices/software/type", 16).value(), "1\n");  // says that it has 4096 bytes
}

}  // namespace
}  // namespace espy
