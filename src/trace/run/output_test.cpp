#include "trace/run/output.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <random>

#include "trace/run/child.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/test_names.hpp"
#include "trace/run/test_script.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {
namespace {

using testing::TemporaryFile;
using testing::TestNames;

// Whatever bytes a script shows, each line is JSON.
TEST(Output, EveryLineIsJson) {
  TemporaryFile file;
  auto output = Output::open({.form = OutputForm::json, .file = file.path()});
  ASSERT_TRUE(output);
  std::mt19937 random(7);
  TestNames names;
  const Type key = tuple_of({string_type(8), int64_type()});
  MapPlan plan{.name = "@x", .map = "AT_x", .key = key, .value = int64_type(), .key_bytes = 16, .value_bytes = 8};
  for (int turn = 0; turn < 200; ++turn) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    output->text("printf", false, [&](std::string& out) { out += text; });
    output->problem("errorf", Severity::error, text, {}, nullptr);
    output->lost_events(random(), text);
    Entries entries(16, 8);
    for (int i = 0; i < 3; ++i) {
      auto raw = testing::padded(text, 16);
      raw[15] = static_cast<std::byte>(random());
      entries.add(raw);
    }
    output->data("map", [&](std::string& out) { append_map_json(plan, entries, {}, names, out); });
    output->data("value", [&](std::string& out) { append_json(buffer_type(16), bytes_of(std::string_view(text)), names, out); });
  }
  output->attached_probes(3);
  ASSERT_TRUE(output->flush());
  std::string checked;
  ASSERT_TRUE(run_shell("python3 -c 'import sys, json\nn = 0\nfor line in open(sys.argv[1], encoding=\"utf-8\", newline=\"\\n\"):\n  json.loads(line)\n  n += 1\nprint(n)' " + file.path(), checked));
  if (checked.empty() && ::access("/usr/bin/python3", X_OK) != 0) GTEST_SKIP() << "needs python3";
  EXPECT_EQ(checked, "1001\n");
}

TEST(Output, BufferingDecidesWhenItIsWritten) {
  auto shown = [](Buffering buffering) {
    TemporaryFile file;
    auto output = Output::open({.buffering = buffering, .file = file.path()});
    output->text("printf", false, [](std::string& out) { out += "a"; });
    std::string steps = file.text() + "|";
    EXPECT_TRUE(output->settle());
    steps += file.text() + "|";
    EXPECT_TRUE(output->flush());
    return steps + file.text();
  };
  EXPECT_EQ(shown(Buffering::none), "a|a|a");
  EXPECT_EQ(shown(Buffering::line), "|a|a");
  EXPECT_EQ(shown(Buffering::full), "||a");
}

TEST(Output, AReaderThatIsGoneEndsItOnce) {
  ::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  auto output = Output::open({.file = fmt::format("/proc/self/fd/{}", ends[1])});
  if (!output) GTEST_SKIP() << "needs /proc";
  ::close(ends[1]);
  output->text("printf", true, [](std::string& out) { out += "a"; });
  auto first = output->flush();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, ErrorKind::interrupted);
  output->text("printf", true, [](std::string& out) { out += "b"; });
  EXPECT_TRUE(output->flush());
}

TEST(Output, ProblemsShowTheirLine) {
  Sources sources;
  sources.add("a.bt", "begin { x }\n");
  TemporaryFile file;
  auto output = Output::open({.file = file.path()});
  output->problem("warnf", Severity::warning, "odd", Span{8, 9, 0}, &sources);
  output->problem("runtime_error", "no place", {});
  output->lost_events(1, {});
  output->lost_events(5, "begin");
  ASSERT_TRUE(output->flush());
  EXPECT_EQ(file.text(), "a.bt:1:9-10: WARNING: odd\nbegin { x }\n        ~\nWARNING: no place\nLost 1 events\nLost 5 events of begin\n");
}

}  // namespace
}  // namespace espy::trace::run
