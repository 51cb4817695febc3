// The same values through bpftrace and through our formatting, compared byte for byte. Its version 0.17 writes a space behind
// "@h:" of histograms, which newer ones do not; everything else here is written the same by all versions.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "trace/run/child.hpp"
#include "trace/run/format.hpp"
#include "trace/run/histogram.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/test_names.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {
namespace {

using testing::bytes;
using testing::TestNames;

// What bpftrace prints of a script, without its first line ("Attaching 1 probe..."); empty: it is not there or cannot run.
std::string bpftrace(const std::string& script, const std::string& options = "") {
  if (::access("/usr/bin/bpftrace", X_OK) != 0) return {};
  std::string out;
  if (!run_shell("bpftrace " + options + " -e '" + script + "' 2>/dev/null", out)) return {};
  const std::size_t line = out.find('\n');
  return line == out.npos ? std::string{} : out.substr(line + 1);
}

struct Case {
  const char* flags;
  const char* conversion;
  long long value;
};

TEST(Bpftrace, PrintfOfIntegers) {
  std::vector<Case> cases;
  for (const char* flags : {"", "5", "-5", "05", "12", "-12", "012"})
    for (const char* conversion : {"d", "u", "x", "X", "lld", "llx", "llu", "c"})
      for (long long value : {0LL, 7LL, 65LL, 4095LL, 1LL << 40}) {
        // Its %d and %x are C's, of 32 bits; newer ones, and ours, are of 64.
        if (value > INT32_MAX && !std::string_view(conversion).starts_with("ll")) continue;
        const bool is_character = std::string_view(conversion) == "c";
        if (!is_character || (value > 32 && value < 127 && flags[0] != '0')) cases.push_back({flags, conversion, value});
      }
  std::string script = "BEGIN { ", expected;
  TestNames names;
  for (const Case& c : cases) {
    script += fmt::format("printf(\"%{}{}|\\n\", {}); ", c.flags, c.conversion, c.value);
    Format format({{.flags = c.flags, .conversion = c.conversion}, {.literal = "|\n"}}, {{.name = {}, .type = int64_type(), .offset = 0}});
    format.append(bytes(std::int64_t{c.value}), names, expected);
  }
  const std::string theirs = bpftrace(script + "exit(); }");
  if (theirs.empty()) GTEST_SKIP() << "needs bpftrace";
  EXPECT_EQ(theirs.substr(0, theirs.find_last_not_of('\n') + 2), expected);
}

TEST(Bpftrace, PrintfOfValues) {
  const std::string theirs = bpftrace("BEGIN { printf(\"%s|%8s|%-8s|\\n\", \"abc\", \"abc\", \"abc\"); printf(\"%s\\n\", ntop(0x0100007f)); "
                                      "print(1); print((1, \"a\", (2, 3))); exit(); }");
  if (theirs.empty()) GTEST_SKIP() << "needs bpftrace";
  TestNames names;
  std::string ours;
  const Type text = string_type(16);
  Format format({{.conversion = "s"}, {.literal = "|", .flags = "8", .conversion = "s"}, {.literal = "|", .flags = "-8", .conversion = "s"}, {.literal = "|\n"}},
                {{.name = {}, .type = text, .offset = 0}, {.name = {}, .type = text, .offset = 0}, {.name = {}, .type = text, .offset = 0}});
  format.append(testing::padded("abc", 16), names, ours);
  append_text(simple_type(Kind::inet), bytes(2U, 0x0100007fU, std::uint64_t{0}, std::uint64_t{0}), names, ours);
  ours += "\n1\n";
  const Type tuple = tuple_of({int64_type(), string_type(8), tuple_of({int64_type(), int64_type()})});
  append_text(tuple, bytes(std::int64_t{1}, std::uint64_t{'a'}, std::int64_t{2}, std::int64_t{3}), names, ours);
  EXPECT_EQ(theirs, ours + "\n\n\n");
}

// The histograms of the same values: the numbering of buckets, their labels and bars.
void compare_histograms(const std::vector<std::int64_t>& values) {
  std::string script = "BEGIN { ";
  std::vector<std::uint64_t> log_buckets(hist_buckets(0)), linear_buckets(lhist_buckets(0, 100, 10));
  for (std::int64_t value : values) {
    script += fmt::format("@h = hist({}); @l = lhist({}, 0, 100, 10); ", value, value);
    ++log_buckets[hist_index(value, 0)];
    ++linear_buckets[lhist_index(value, 0, 100, 10)];
  }
  std::string theirs = bpftrace(script + "exit(); }");
  if (theirs.empty()) GTEST_SKIP() << "needs bpftrace";
  for (std::size_t at; (at = theirs.find(": \n")) != theirs.npos;) theirs.erase(at + 1, 1);
  std::string ours = "@h:\n";
  append_histogram_text(simple_type(Kind::hist), log_buckets, 1, ours);
  Type linear = simple_type(Kind::lhist);
  linear.shape = {.min = 0, .max = 100, .step = 10};
  ours += "\n@l:\n";
  append_histogram_text(linear, linear_buckets, 1, ours);
  EXPECT_EQ(theirs, "\n\n" + ours + "\n");
}

TEST(Bpftrace, HistogramsOfSmallAndLargeValues) {
  compare_histograms({-3, 0, 1, 2, 3, 5, 5, 5, 5, 9, 17, 1000, 5000});
  // Its last bucket holds all from 2^31 on.
  compare_histograms({1 << 20, 1 << 21, (1 << 21) + 5, 3000000, 1 << 29});
  compare_histograms({7, 7, 7, 7, 7, 7, 7, 8, 94, 95, 99, 100});
}

TEST(Bpftrace, MapsByValueAndByKey) {
  std::string theirs = bpftrace("BEGIN { @c[1] = 5; @c[2] = 3; @c[3] = 9; @s[\"b\"] = \"x\"; @s[\"a\"] = \"y\"; @t[1, \"z\"] = 4; @n = 7; exit(); }");
  if (theirs.empty()) GTEST_SKIP() << "needs bpftrace";
  TestNames names;
  std::string ours = "\n\n";
  auto show = [&](const MapPlan& plan, std::initializer_list<std::pair<std::vector<std::byte>, std::vector<std::byte>>> rows) {
    Entries entries(plan.key_bytes, plan.value_bytes);
    for (const auto& [key, value] : rows) {
      MutableBytes to = entries.add(key);
      std::memcpy(to.data(), value.data(), std::min(value.size(), to.size()));
    }
    sort_entries(plan, entries);
    append_map_text(plan, entries, {}, names, ours);
  };
  const Type pair = tuple_of({int64_type(), string_type(8)});
  show({.name = "@c", .key = int64_type(), .value = int64_type(), .key_bytes = 8, .value_bytes = 8},
       {{bytes(std::int64_t{3}), bytes(std::int64_t{9})}, {bytes(std::int64_t{1}), bytes(std::int64_t{5})}, {bytes(std::int64_t{2}), bytes(std::int64_t{3})}});
  show({.name = "@n", .value = int64_type(), .key_bytes = 4, .value_bytes = 16}, {{bytes(0), bytes(std::int64_t{7}, std::int64_t{1})}});
  show({.name = "@s", .key = string_type(8), .value = string_type(8), .key_bytes = 8, .value_bytes = 8},
       {{testing::padded("b", 8), testing::padded("x", 8)}, {testing::padded("a", 8), testing::padded("y", 8)}});
  show({.name = "@t", .key = pair, .value = int64_type(), .key_bytes = 16, .value_bytes = 8}, {{bytes(std::int64_t{1}, std::uint64_t{'z'}), bytes(std::int64_t{4})}});
  // Between maps it writes no empty line, except around histograms.
  EXPECT_EQ(theirs, ours);
}

}  // namespace
}  // namespace espy::trace::run
