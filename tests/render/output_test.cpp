#include "render/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "types.hpp"

namespace espy::render {
namespace {

RecordType record_type(std::string_view name, bool open_ended = false) {
  Shape shape(types(), type_id(name));
  std::uint32_t size = shape.root().size;
  return {.name = fmt::format("struct {}", name), .shape = std::move(shape), .size = size, .open_ended = open_ended};
}

event sample() { return {.ts_ns = 1'000, .pid = 12, .comm = "bash", .verdict = VERDICT_DROP, .at = {3, -4}}; }

TEST(RecordFormat, TypeIsToldBySize) {
  RecordFormat format{.map = "events", .types = {record_type("event"), record_type("hist"), record_type("flexible", true)}};
  EXPECT_EQ(format.type_of(sizeof(event)), &format.types[0]);
  EXPECT_EQ(format.type_of(sizeof(hist)), &format.types[1]);
  EXPECT_EQ(format.type_of(sizeof(hist) + 4), &format.types[1]);
  EXPECT_EQ(format.type_of(300), &format.types[2]);
  EXPECT_EQ(format.type_of(2), nullptr);
  RecordFormat single{.map = "events", .types = {record_type("event")}};
  EXPECT_EQ(single.type_of(2), &single.types[0]);
}

TEST(JsonOutput, OneObjectALine) {
  std::string out;
  auto output = json_output(to_string(out));
  StreamId events = output->add_stream({.map = "events", .types = {record_type("event")}});
  StreamId raw = output->add_stream({.map = "raw"});
  event v = sample();
  output->record(events, bytes_of(v));
  output->record(raw, bytes_of(std::string_view("\x01\xff")));
  output->lost("events", 3);
  output->printk("sh", 7, "hello");
  output->test_run("main", 2, 15);
  output->warning("old map", "modernise");
  Error inner{.kind = ErrorKind::permission, .message = "denied", .hint = "run as root", .notes = {"R1"}};
  output->error(wrap(inner, "load"));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(output->flush());
  EXPECT_EQ(out,
            R"({"type":"record","map":"events","data":{"ts_ns":1000,"pid":12,"comm":"bash","verdict":"VERDICT_DROP","at":{"x":3,"y":-4}}})" "\n"
            R"({"type":"record","map":"raw","data":{"bytes":"01ff"}})" "\n"
            R"({"type":"lost","map":"events","count":3})" "\n"
            R"({"type":"printk","comm":"sh","pid":7,"message":"hello"})" "\n"
            R"({"type":"test_run","prog":"main","retval":2,"duration_ns":15})" "\n"
            R"({"type":"warning","message":"old map","hint":"modernise"})" "\n"
            R"({"type":"error","kind":"permission","message":"load: denied","hint":"run as root","notes":["R1"]})" "\n");
}

TEST(TerminalOutput, StreamsColumnsUnderOneHeader) {
  std::string out;
  auto output = terminal_output(to_string(out));
  StreamId events = output->add_stream({.map = "events", .types = {record_type("event")}});
  event v = sample();
  output->record(events, bytes_of(v));
  output->record(events, bytes_of(v));
  output->lost("events", 1);
  ASSERT_TRUE(output->flush());
  EXPECT_EQ(out,
            "ts_ns                pid  comm             verdict             at.x     at.y\n"
            "0.000001              12  bash             VERDICT_DROP           3       -4\n"
            "0.000001              12  bash             VERDICT_DROP           3       -4\n"
            "lost 1 record of events\n");
}

TEST(TerminalOutput, SeveralStreamsNameTheirMap) {
  std::string out;
  auto output = terminal_output(to_string(out), {}, {.colours = true});
  output->add_stream({.map = "events", .types = {record_type("event")}});
  StreamId raw = output->add_stream({.map = "raw"});
  output->record(raw, bytes_of(std::string_view("\x01\x1b")));
  output->printk("sh", 7, "\x1b[2J");
  output->lost("raw", 2);
  ASSERT_TRUE(output->flush());
  EXPECT_EQ(out, "raw     01 1b\nsh-7: \\x1b[2J\n\x1b[31mlost 2 records of raw\x1b[0m\n");
}

TEST(Output, TellsOnceThatItsSinkFailed) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  ::close(pipes[0]);
  std::signal(SIGPIPE, SIG_IGN);
  auto output = json_output(to_descriptor(pipes[1]));
  output->lost("events", 3);
  auto flushed = output->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().sys, EPIPE);
  output->lost("events", 3);
  EXPECT_TRUE(output->flush());
  ::close(pipes[1]);
}

TEST(Output, WritesBeforeItHoldsTooMuch) {
  std::string out;
  auto output = json_output(to_string(out));
  for (int i = 0; i < 5000; ++i) output->lost("events", 3);
  EXPECT_GT(out.size(), 100'000U);
}

TEST(Output, NoColoursWhereNobodyLooks) { EXPECT_FALSE(wants_colours(-1)); }

}  // namespace
}  // namespace espy::render
