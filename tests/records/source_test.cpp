#include "kernel/record_source.hpp"

#include "base/text.hpp"

#include "kernel/map_view.hpp"
#include "kernel/printk.hpp"
#include "object/read.hpp"
#include "render/output.hpp"
#include "render/value.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace espy::kernel {
namespace {

object::ObjectSpec read_choices() {
  auto spec = object::read(CHOICES_OBJECT);
  EXPECT_TRUE(spec.has_value()) << (spec ? "" : describe(spec.error()));
  return std::move(*spec);
}

struct Choice {
  const char* map;
  std::vector<std::string> types;
  const char* reason;
};

TEST(RecordTypes, AreChosenByTheSurestRule) {
  object::ObjectSpec spec = read_choices();
  const Choice kChoices[] = {
      {"value_ring", {"struct by_value"}, "the map's value type"},
      {"tag_ring", {"struct by_tag"}, "a declaration tag on the map"},
      {"type_tag_ring", {"struct by_type_tag"}, "a type tag that names the map"},
      {"line_ring", {"struct by_line"}, "the source lines that write it"},
      {"pointer_ring", {"struct by_pointer"}, "a global pointer that keeps the type"},
      {"size_ring", {"struct by_size"}, "the only struct of the size that is written"},
      {"two_ring", {"struct short_one", "struct long_one"}, "the source lines that write it"},
      {"unknown_ring", {}, "no type is known: --type MAP=TYPE names it"},
      {"lost_type_ring", {}, "no type is known: --type MAP=TYPE names it"},
      {"perf", {"struct perf_event_record"}, "the source lines that write it"},
  };
  for (const Choice& expected : kChoices) {
    auto choice = choose_record_types(spec, *spec.find_map(expected.map));
    ASSERT_TRUE(choice);
    std::vector<std::string> names;
    for (const auto& type : choice->format.types) names.push_back(type.name);
    EXPECT_EQ(names, expected.types) << expected.map;
    EXPECT_EQ(choice->reason, expected.reason) << expected.map;
  }
}

TEST(RecordTypes, TheUserKnowsBest) {
  object::ObjectSpec spec = read_choices();
  for (const char* name : {"by_line_twin", "struct by_line_twin"}) {
    auto choice = choose_record_types(spec, *spec.find_map("line_ring"), name);
    ASSERT_TRUE(choice) << describe(choice.error());
    EXPECT_EQ(choice->format.types.front().name, "struct by_line_twin");
  }
  auto wrong = choose_record_types(spec, *spec.find_map("line_ring"), "struct by_lime");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().hint, "did you mean `struct by_line`?");
}

TEST(RecordTypes, WithoutBtfRecordsAreBytes) {
  object::ObjectSpec spec = read_choices();
  spec.btf = nullptr;
  auto choice = choose_record_types(spec, *spec.find_map("value_ring"));
  ASSERT_TRUE(choice);
  EXPECT_TRUE(choice->format.types.empty());
  EXPECT_FALSE(choose_record_types(spec, *spec.find_map("value_ring"), "x"));
}

class Source : public testing::Test {
 protected:
  void SetUp() override {
    auto target = running_target();
    ASSERT_TRUE(target) << describe(target.error());
    auto linked = object::link(read_choices(), *target);
    ASSERT_TRUE(linked) << describe(linked.error());
    auto loaded = Object::load(std::move(*linked));
    if (!loaded && loaded.error().kind == ErrorKind::permission) GTEST_SKIP() << "needs CAP_BPF and CAP_PERFMON";
    ASSERT_TRUE(loaded) << describe(loaded.error());
    object_ = std::make_unique<Object>(std::move(*loaded));
  }
  void run(const char* program) {
    const Program* found = object_->find_program(program);
    ASSERT_TRUE(found != nullptr);
    TestRun input;
    input.ctx_in.resize(16);
    auto result = found->test_run(input);
    ASSERT_TRUE(result) << describe(result.error());
  }
  std::unique_ptr<Object> object_;
};

constexpr std::string_view kExpected =
            R"({"type":"record","map":"value_ring","data":{"number":1,"tag":"tagged!"}})" "\n"
            R"({"type":"record","map":"tag_ring","data":{"number":2,"verdict":7}})" "\n"
            R"({"type":"record","map":"line_ring","data":{"number":3,"words":[0,0,0,0]}})" "\n"
            R"({"type":"record","map":"pointer_ring","data":{"number":4,"words":[0,0,0,0,0,0]}})" "\n"
            R"({"type":"record","map":"size_ring","data":{"number":5,"words":[0,0,0,0,0,0,0,0,0]}})" "\n"
            R"({"type":"record","map":"two_ring","struct":"struct short_one","data":{"number":7,"words":[0,0,0,0,0,0,0,0,0,0,0]}})" "\n"
            R"({"type":"record","map":"two_ring","struct":"struct long_one","data":{"number":8,"words":[0,0,0,0,0,0,0,0,0,0,0,0]}})" "\n"
            R"({"type":"record","map":"unknown_ring","data":{"bytes":"010203"}})" "\n"
            R"({"type":"record","map":"perf","data":{"number":6,"comm":"perf"}})" "\n";

TEST_F(Source, DecodesEveryMapsRecords) {
  auto source = RecordSource::open(*object_);
  ASSERT_TRUE(source) << describe(source.error());
  std::string out;
  auto output = render::json_output(render::to_string(out));
  std::vector<render::StreamId> ids;
  for (const RecordChoice& stream : source->streams()) ids.push_back(output->add_stream(stream.format));
  run("write_all");
  run("write_two");
  auto sink = [&](std::size_t stream, Bytes record) { return output->record(ids[stream], record), true; };
  auto read = source->wait(std::chrono::seconds(5), sink);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(*read, 9U);
  ASSERT_TRUE(output->flush());
  std::vector<std::string_view> lines = split(trim(out), '\n'), expected = split(trim(kExpected), '\n');
  std::ranges::sort(lines);      // the order of the maps is the compiler's
  std::ranges::sort(expected);
  EXPECT_EQ(lines, expected);
}

TEST_F(Source, TellsLossesOnceAndWarnsWhereNobodyCounts) {
  auto source = RecordSource::open(*object_);
  ASSERT_TRUE(source);
  auto nothing = source->new_losses();
  ASSERT_TRUE(nothing) << describe(nothing.error());
  EXPECT_TRUE(nothing->empty());
  for (int i = 0; i < 500; ++i) run("write_two");
  std::size_t seen = 0;
  ASSERT_TRUE(source->drain([&](std::size_t stream, Bytes) { return seen += source->streams()[stream].format.map == "two_ring" ? 1 : 0, true; }));
  auto losses = source->new_losses();
  ASSERT_TRUE(losses) << describe(losses.error());
  ASSERT_EQ(losses->size(), 1U);
  EXPECT_EQ(losses->front().map, "two_ring");
  EXPECT_EQ(losses->front().count, 1000 - seen);
  EXPECT_TRUE(source->new_losses()->empty());
  // unknown_ring overflowed too (500 records of 16 bytes in 4096), and no counter is its own.
  auto warnings = source->warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings.front().message.find("unknown_ring"), std::string::npos);
}

TEST_F(Source, ReadsOnlyTheMapsAskedFor) {
  auto source = RecordSource::open(*object_, {.maps = {"tag_ring"}});
  ASSERT_TRUE(source);
  ASSERT_EQ(source->streams().size(), 1U);
  EXPECT_EQ(source->streams().front().format.map, "tag_ring");
  auto wrong = RecordSource::open(*object_, {.types = {{"totals", "struct by_tag"}}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::not_found);
}

TEST_F(Source, ReadsWhatProgramsPrint) {
  auto reader = PrintkReader::open();
  if (!reader && reader.error().kind == ErrorKind::not_found) GTEST_SKIP() << "needs the tracepoint bpf_trace:bpf_trace_printk (5.9)";
  ASSERT_TRUE(reader) << describe(reader.error());
  run("print_line");
  run("print_line");
  std::size_t ours = 0;
  auto lines = reader->drain([&](const PrintkLine& line) {
    if (line.pid != ::gettid()) return;   // other programs print, too
    EXPECT_EQ(line.message, "line 42 of text");
    EXPECT_TRUE(line.comm.starts_with("records_test")) << line.comm;
    ++ours;
  });
  ASSERT_TRUE(lines) << describe(lines.error());
  EXPECT_EQ(ours, 2U);
  EXPECT_EQ(reader->lost(), 0U);
}

TEST_F(Source, CopiesMapsAndSections) {
  run("write_all");
  auto totals = view_map(*object_, *object_->spec().map_index("totals"));
  ASSERT_TRUE(totals) << describe(totals.error());
  JsonWriter json;
  write_entries(json, *totals);
  EXPECT_EQ(json.text(), R"([{"key":5,"value":{"number":2,"verdict":7}}])");
  auto untyped = view_map(*object_, *object_->spec().map_index("untyped"), 2);
  ASSERT_TRUE(untyped);
  EXPECT_TRUE(untyped->truncated);
  json.clear();
  JsonWriter second;
  write_entries(second, *untyped);
  EXPECT_EQ(second.text(), R"([{"key":0,"value":0},{"key":1,"value":0}])");
  EXPECT_FALSE(view_map(*object_, *object_->spec().map_index("perf")));

  object::MapIdx bss = *object_->spec().map_index(".bss");
  render::Shape shape = section_shape(object_->spec(), bss);
  auto contents = object_->data(bss);
  ASSERT_TRUE(contents);
  std::string shown = section_text(shape, *contents);
  EXPECT_NE(shown.find("runs = 1\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("two_ring_dropped = 0\n"), std::string::npos) << shown;
}

}  // namespace
}  // namespace espy::kernel
