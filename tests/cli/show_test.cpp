// `espy show`: what is in an object, as tables and as JSON.
#include <gtest/gtest.h>
#include <simdjson.h>

#include "command.hpp"

namespace espy::test {
namespace {

TEST(Show, TablesSayWhatIsInTheObject) {
  Outcome outcome = espy({"show", object("kinds.bpf.o")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part : {"little-endian eBPF, licence \"GPL\"", "\nSections\n", "\nPrograms\n", "raw_tp/sys_enter", "socket_filter", "\nMaps\n",
                           "enum colour", "percpu_array", "struct hist", "\nVariables\n", "const volatile __u32 target", "char greeting[8]"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " in\n" << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("0 bytes"), std::string::npos) << outcome.out;
}

TEST(Show, ColumnsAreAlignedAndNoLineEndsInSpaces) {
  Outcome outcome = espy({"show", object("kinds.bpf.o")});
  std::size_t type_column = 0;
  for (const std::string& line : lines(outcome.out)) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
    if (line.starts_with("program ")) type_column = line.find("type");
    if (line.starts_with("on_enter")) {
      EXPECT_EQ(line.find("raw_tracepoint"), type_column) << outcome.out;
    }
  }
  EXPECT_NE(type_column, 0U);
}

TEST(Show, CoreRelocationsAreNamed) {
  Outcome outcome = espy({"show", example("opens.bpf.o")});
  EXPECT_NE(outcome.out.find("byte_off struct linux_binprm.filename"), std::string::npos) << outcome.out;
}

TEST(Show, ProgramsThatAreNotLoadedByDefaultAreMarked) {
  Outcome outcome = espy({"show", object("options.bpf.o")});
  EXPECT_NE(outcome.out.find("not loaded by default"), std::string::npos) << outcome.out;
}

TEST(Show, TypesAreC) {
  Outcome outcome = espy({"show", object("kinds.bpf.o"), "--types"});
  EXPECT_NE(outcome.out.find("enum colour {"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("struct record {"), std::string::npos) << outcome.out;
}

TEST(Show, JsonIsOneLineWithTheSameFacts) {
  Outcome outcome = espy({"show", object("kinds.bpf.o"), "--json"});
  ASSERT_EQ(lines(outcome.out).size(), 1U);
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(outcome.out).get(json), simdjson::SUCCESS);
  EXPECT_EQ(json["type"].get_string().value(), "object");
  EXPECT_EQ(json["endian"].get_string().value(), "little");
  EXPECT_EQ(json["license"].get_string().value(), "GPL");
  EXPECT_EQ(json["programs"].at(0)["name"].get_string().value(), "on_enter");
  EXPECT_EQ(json["programs"].at(0)["type"].get_string().value(), "raw_tracepoint");
  EXPECT_EQ(json["programs"].get_array().size(), 2U);
  EXPECT_EQ(json["maps"].at(0)["type"].get_string().value(), "ringbuf");
  EXPECT_EQ(json["maps"].at(0)["max_entries"].get_uint64().value(), 65536U);
  EXPECT_EQ(json["maps"].at(2)["key"].get_string().value(), "enum colour");
  EXPECT_EQ(json["variables"].at(0)["name"].get_string().value(), "target");
  EXPECT_EQ(json["warnings"].get_array().size(), 0U);
}

TEST(Show, EveryFieldIsDocumented) {
  std::string page = read(ESPY_SOURCE_DIR "/docs/records.md");
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  std::string text = espy({"show", example("opens.bpf.o"), "--json"}).out;
  ASSERT_EQ(parser.parse(text).get(json), simdjson::SUCCESS);
  auto documented = [&](simdjson::dom::object fields) {
    for (auto field : fields) EXPECT_NE(page.find("`" + std::string(field.key)), std::string::npos) << field.key;
  };
  documented(json.get_object());
  documented(json["programs"].at(0).get_object());
  documented(json["programs"].at(0)["core_relocations"].at(0).get_object());
  documented(json["maps"].at(0).get_object());
  documented(json["variables"].at(0).get_object());
  documented(json["sections"].at(0).get_object());
}

}  // namespace
}  // namespace espy::test
