// `espy run` and `espy test-run` on the live kernel.
#include <gtest/gtest.h>
#include <unistd.h>

#include "command.hpp"

namespace espy::test {
namespace {

std::string target_setting() { return "target=" + std::to_string(::getpid()); }

class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!privileged()) GTEST_SKIP() << "loading eBPF needs root (CAP_BPF and CAP_PERFMON)";
  }
};

TEST_F(Run, JsonShowsRecordsMapsAndData) {
  Caller caller;
  Outcome outcome = espy({"run", object("kinds.bpf.o"), "--json", "--for", "500ms", "--prog", "on_enter", "--set", target_setting()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  auto found = by_type(outcome.out);
  std::string pid = std::to_string(::getpid());
  std::string expected = R"({"type":"record","map":"ring","data":{"pid":)" + pid +
                         R"(,"colour":"BLUE","comm":"ok","saddr":"127.0.0.1","number":1}})";
  EXPECT_NE(outcome.out.find(expected), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(R"({"type":"record","map":"perf","data":{"number":1,"negative":-5}})"), std::string::npos) << outcome.out;
  EXPECT_EQ(found.count("record"), 6U) << outcome.out;
  EXPECT_NE(outcome.out.find(R"({"type":"map","map":"by_colour","entries":[{"key":"BLUE","value":3}]})"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(R"({"type":"map","map":"per_cpu","entries":[{"key":0,"value":3}]})"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(R"({"type":"map","map":"latency","entries":[{"key":0,"value":{"slots":[0,0,3,0,0,0,0,0]}}]})"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(R"("greeting":"hello")"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(R"({"type":"data","map":".bss","data":{"calls":)"), std::string::npos) << outcome.out;
}

TEST_F(Run, TextShowsColumnsTablesAndAHistogram) {
  Caller caller;
  Outcome outcome = espy({"run", object("kinds.bpf.o"), "--for", "500ms", "--prog", "on_enter", "--set", target_setting()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part : {"saddr", "127.0.0.1", "BLUE", "ok", "by_colour", "calls", "hello", "[4, 8)"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " in\n" << outcome.out;
  }
}

TEST_F(Run, OnlyTheMapsAskedForAreShown) {
  Outcome outcome = espy({"run", object("kinds.bpf.o"), "--json", "--for", "100ms", "--prog", "on_enter", "--map", "by_colour"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.out).size(), 1U) << outcome.out;
  Outcome wrong = espy({"run", object("kinds.bpf.o"), "--for", "100ms", "--map", "by_color"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("by_colour"), std::string::npos) << wrong.err;
}

TEST_F(Run, AnInterruptDetachesAndPrintsWhatWasGathered) {
  Caller caller;
  Outcome outcome = espy({"run", object("kinds.bpf.o"), "--json", "--prog", "on_enter", "--set", target_setting()}, 700);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(by_type(outcome.out).count("map"), 3U) << outcome.out;
}

TEST_F(Run, RestrictsToAProcess) {
  Outcome wrong = espy({"run", object("kinds.bpf.o"), "--pid", "zero"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("--pid"), std::string::npos) << wrong.err;
}

TEST_F(Run, ARejectedProgramShowsReasonLineAndInstruction) {
  Outcome outcome = espy({"run", object("rejected.bpf.o"), "--for", "1s"});
  EXPECT_EQ(outcome.status, 1);
  for (const char* part : {"no_null_check", "R0 invalid mem access 'map_value_or_null'", "rejected.bpf.c:21", "*count += 1"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  }
  EXPECT_LT(lines(outcome.err).size(), 15U) << outcome.err;
}

TEST_F(Run, BadFilesAreErrorsNotCrashes) {
  Outcome missing = espy({"run", "/nowhere/x.o"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("/nowhere/x.o"), std::string::npos);
  Outcome text = espy({"run", "/etc/passwd"});
  EXPECT_EQ(text.status, 1);
  EXPECT_NE(text.err.find("ELF"), std::string::npos) << text.err;
}

TEST_F(Run, JsonErrorsAreLinesToo) {
  Outcome outcome = espy({"run", "/nowhere/x.o", "--json"});
  EXPECT_EQ(by_type(outcome.out).count("error"), 1U) << outcome.out;
}

TEST_F(Run, TestRunGivesTheReturnValue) {
  Outcome outcome = espy({"test-run", object("kinds.bpf.o"), "--prog", "answer", "--repeat", "10", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with(R"({"type":"test_run","prog":"answer","retval":42,"duration_ns":)")) << outcome.out;
  Outcome unnamed = espy({"test-run", object("kinds.bpf.o")});
  EXPECT_EQ(unnamed.status, 1);
  EXPECT_NE(unnamed.err.find("on_enter, answer"), std::string::npos) << unnamed.err;
}

}  // namespace
}  // namespace espy::test
