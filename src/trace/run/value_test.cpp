#include "trace/run/value.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "btf/builder.hpp"
#include "trace/run/number_names.hpp"
#include "trace/run/test_names.hpp"

namespace espy::trace::run {
namespace {

using testing::bytes;
using testing::padded;
using testing::TestNames;

struct Row {
  Type type;
  std::vector<std::byte> value;
  const char *text, *json;
};

void check(const std::vector<Row>& rows) {
  TestNames names;
  for (const Row& row : rows) {
    std::string text, json;
    append_text(row.type, row.value, names, text);
    append_json(row.type, row.value, names, json);
    EXPECT_EQ(text, row.text);
    EXPECT_EQ(json, row.json) << text;
  }
}

TEST(Value, Simple) {
  check({
      {int64_type(), bytes(std::int64_t{-7}), "-7", "-7"},
      {uint64_type(), bytes(~std::uint64_t{0}), "18446744073709551615", "\"18446744073709551615\""},
      {int64_type(), bytes(INT64_MAX), "9223372036854775807", "\"9223372036854775807\""},
      {int64_type(), bytes(INT64_MIN), "-9223372036854775808", "-9223372036854775808"},
      {int64_type(), bytes((std::int64_t{1} << 53) + 1), "9007199254740993", "\"9007199254740993\""},
      {int64_type(), bytes(std::int64_t{1} << 60), "1152921504606846976", "1152921504606846976"},
      {integer_type(2, false), bytes(std::uint16_t{65535}), "65535", "65535"},
      {integer_type(2, true), bytes(std::uint16_t{65535}), "-1", "-1"},
      {boolean_type(), bytes(true), "true", "true"},
      {boolean_type(), bytes(false), "false", "false"},
      {pointer_to(int64_type(), Space::kernel), bytes(std::uint64_t{0xffff}), "0xffff", "65535"},
      {string_type(16), padded("a \"b\"\n", 16), "a \"b\"\n", "\"a \\\"b\\\"\\n\""},
      {string_type(4), padded("abcd", 4), "abcd..", "\"abcd..\""},
      {string_type(4), {}, "", "\"\""},
      {string_type(8), padded("\xff\xfe" "a", 8), "\xff\xfe" "a", "\"\\ufffd\\ufffda\""},
      {buffer_type(4), bytes(2U, 'a', '\xff', '\0', '\0'), "a\\xff", "[97,-1]"},
      {simple_type(Kind::inet), bytes(10U, std::uint64_t{0}, std::uint64_t{1} << 56), "::1", "\"::1\""},
      {simple_type(Kind::ksym), bytes(std::uint64_t{16}), "k10", "\"k10\""},
      {simple_type(Kind::kstack), bytes(std::int64_t{3}), "\n        k3+0\n", "\"\\n        k3+0\\n\""},
      {simple_type(Kind::ustack), bytes(std::int64_t{3}, 9U, 0U, std::uint64_t{0}), "\n        u3+9\n", "\"\\n        u3+9\\n\""},
      {simple_type(Kind::username), bytes(std::uint64_t{0}), "root", "\"root\""},
      {simple_type(Kind::timestamp), bytes(std::uint64_t{5}, 1U, 2U), "t5.1.2", "\"t5.1.2\""},
      {simple_type(Kind::cgroup_path), bytes(std::uint64_t{5}, 1U, 0U), "unified:/5/1", "\"unified:/5/1\""},
      {simple_type(Kind::strerror), bytes(std::int64_t{-2}), "No such file or directory", "\"No such file or directory\""},
      {simple_type(Kind::strerror), bytes(std::int64_t{2}), "No such file or directory", "\"No such file or directory\""},
      {simple_type(Kind::signal_name), bytes(std::int64_t{9}), "SIGKILL", "\"SIGKILL\""},
      {simple_type(Kind::signal_name), bytes(std::int64_t{900}), "900", "\"900\""},
      {simple_type(Kind::syscall_name), bytes(std::int64_t{0}), "read", "\"read\""},
      {simple_type(Kind::syscall_name), bytes(std::int64_t{-1}), "-1", "\"-1\""},
      {simple_type(Kind::probe_name), bytes(std::uint64_t{0}), "begin", "\"begin\""},
      {simple_type(Kind::none), {}, "null", "null"},
  });
}

TEST(Value, MadeOfOthers) {
  const Type pair = tuple_of({int64_type(), string_type(8)});
  auto pair_bytes = bytes(std::int64_t{1});
  auto text = padded("a b", 8);
  pair_bytes.insert(pair_bytes.end(), text.begin(), text.end());
  const Type nested = tuple_of({integer_type(4, true), tuple_of({integer_type(1, true), integer_type(1, true)})});
  check({
      {array_of(integer_type(4, true), 3), bytes(1, -2, 3), "[1,-2,3]", "[1,-2,3]"},
      {array_of(array_of(integer_type(1, false), 2), 2), bytes(std::uint32_t{0x04030201}), "[[1,2],[3,4]]", "[[1,2],[3,4]]"},
      {pair, pair_bytes, "(1, a b)", "[1,\"a b\"]"},
      {nested, bytes(5, std::int8_t{1}, std::int8_t{2}, std::uint16_t{0}), "(5, (1, 2))", "[5,[1,2]]"},
      {tuple_of({int64_type()}), bytes(std::int64_t{4}), "(4)", "[4]"},
      {record_of({{.name = "size", .type = integer_type(4, true)}, {.name = "on", .type = boolean_type()}}), bytes(6, 1), "{ .size = 6, .on = true }", "{\"size\": 6, \"on\": true}"},
      {record_of({}), {}, "{}", "{}"},
      // Bytes that are missing read as zero.
      {pair, bytes(std::int64_t{1}), "(1, )", "[1,\"\"]"},
  });
}

TEST(Value, TimeIsLocalWithMicroseconds) {
  std::string out;
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  append_time(1'700'000'000, 123'456'789, "%Y-%m-%d %H:%M:%S.%f %% %", out);
  EXPECT_EQ(out, "2023-11-14 22:13:20.123456 % %");
}

TEST(Value, GfpFlags) {
  auto text = [](std::uint64_t flags) {
    std::string out;
    append_gfp_flags(flags, out);
    return out;
  };
  EXPECT_EQ(text(0), "none");
  EXPECT_EQ(text(0x400cc0), "GFP_KERNEL_ACCOUNT");
  EXPECT_EQ(text(0x820), "GFP_ATOMIC");
  EXPECT_EQ(text(std::uint64_t{1} << 40), "0x10000000000");
}

// The kernel's own structures: bit-fields, unions, anonymous members, enums, char arrays.
TEST(Value, StructuresOfTheKernel) {
  auto btf = btf::Btf::kernel();
  if (!btf) GTEST_SKIP() << "needs the kernel's BTF";
  auto show = [&](std::string_view name, Bytes value, bool json) {
    auto type = (*btf)->find(name, btf::Kind::struct_);
    std::string out;
    TestNames names;
    if (!type) return out;
    Type of = type_of_btf(*btf, type->id(), Space::bpf);
    json ? append_json(of, value, names, out) : append_text(of, value, names, out);
    return out;
  };
  EXPECT_EQ(show("list_head", bytes(std::uint64_t{1}, std::uint64_t{0xff}), false), "{ .next = 0x1, .prev = 0xff }");
  EXPECT_EQ(show("list_head", bytes(std::uint64_t{1}, std::uint64_t{0xff}), true), "{\"next\": 1, \"prev\": 255}");
  // struct iphdr { u8 ihl:4, version:4; … }
  const std::string ip = show("iphdr", padded("\x45", 20), false);
  EXPECT_TRUE(ip.starts_with("{ .ihl = 5, .version = 4, .tos = 0,")) << ip;
  const std::string task = show("task_struct", padded("", 64), false);
  EXPECT_NE(task.find(".comm = "), std::string::npos);
  EXPECT_TRUE(task.starts_with("{ .")) << task.substr(0, 40);
}

}  // namespace
}  // namespace espy::trace::run
