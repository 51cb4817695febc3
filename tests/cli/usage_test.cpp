// Words that make no sense, help, manual pages and completion.
#include <gtest/gtest.h>

#include "command.hpp"

namespace espy::test {
namespace {

TEST(Usage, NoCommandShowsTheOverviewAndFails) {
  Outcome outcome = espy({});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("usage: espy COMMAND"), std::string::npos);
}

TEST(Usage, AWrongCommandGetsASuggestion) {
  Outcome outcome = espy({"rum"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("did you mean `espy run`?"), std::string::npos) << outcome.err;
}

TEST(Usage, AWrongOptionGetsASuggestion) {
  Outcome outcome = espy({"run", "x.o", "--jsno"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("did you mean --json?"), std::string::npos) << outcome.err;
}

TEST(Usage, AnOptionWithoutItsValueSaysSo) {
  Outcome outcome = espy({"run", "x.o", "--map"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("--map NAME is missing its value"), std::string::npos) << outcome.err;
}

TEST(Usage, BehindTwoDashesNothingIsAnOption) {
  Outcome outcome = espy({"show", "--", "--json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("open --json"), std::string::npos) << outcome.err;
}

TEST(Usage, AMissingObjectIsNamed) {
  Outcome outcome = espy({"run"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("OBJ.o is missing"), std::string::npos) << outcome.err;
}

TEST(Usage, EveryCommandHasHelpWithExamplesAndAManPage) {
  Outcome overview = espy({"--help"});
  EXPECT_EQ(overview.status, 0);
  for (const char* name : {"run", "test-run", "check", "dis", "asm", "show", "gen", "man", "completion"}) {
    EXPECT_NE(overview.out.find(name), std::string::npos) << name;
    Outcome help = espy({name, "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_NE(help.out.find("examples:"), std::string::npos) << name;
    for (const std::string& line : lines(help.out)) EXPECT_LE(line.size(), 140U) << name << ": " << line;
    Outcome page = espy({"man", name});
    EXPECT_EQ(page.status, 0) << name;
    EXPECT_TRUE(page.out.starts_with(".TH ")) << name;
  }
}

TEST(Usage, CompletionIsValidBash) {
  Outcome outcome = espy({"completion", "bash"});
  ASSERT_EQ(outcome.status, 0);
  Outcome checked = command({"bash", "-c", outcome.out + "\ncomplete -p espy"});
  EXPECT_EQ(checked.status, 0) << checked.err;
  EXPECT_EQ(espy({"completion", "tcsh"}).status, 1);
}

}  // namespace
}  // namespace espy::test
