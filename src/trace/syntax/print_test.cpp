#include "trace/syntax/print.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/fd.hpp"
#include "trace/syntax/grammar_cases.hpp"
#include "trace/syntax/parser.hpp"

namespace espy::trace {
namespace {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  Script script;
  explicit Parsed(std::string text) { script = parse(sources, sources.add("s", std::move(text)), diagnostics); }
};

/// What holds for every script without errors.
void check(const std::string& text) {
  const Parsed first(text);
  ASSERT_FALSE(first.diagnostics.has_errors()) << text << "\n" << render(first.diagnostics.all().front(), first.sources, false);
  const std::string formatted = format(first.script, first.sources);
  const Parsed second(formatted);
  ASSERT_FALSE(second.diagnostics.has_errors()) << formatted << "\n" << render(second.diagnostics.all().front(), second.sources, false);
  EXPECT_EQ(dump(first.script), dump(second.script)) << formatted;
  EXPECT_EQ(format(second.script, second.sources), formatted) << text;
  EXPECT_EQ(first.script.comments.size(), second.script.comments.size()) << formatted;
}

TEST(Format, EveryFormIsStableAndParsesToTheSameTree) {
  for (const std::string_view text : kGrammarCases) check(std::string(text));
}

TEST(Format, SoAreTheExamples) {
  std::size_t scripts = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ESPY_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".bt") continue;
    SCOPED_TRACE(entry.path().string());
    ++scripts;
    check(read_text_file(entry.path()).value());
  }
  EXPECT_GT(scripts, 0U);
}

std::string formatted(const std::string& text) {
  const Parsed parsed(text);
  EXPECT_FALSE(parsed.diagnostics.has_errors()) << text;
  return format(parsed.script, parsed.sources);
}

TEST(Format, TheCanonicalForm) {
  EXPECT_EQ(formatted("#!/usr/bin/env espy\n// head\n\n\nkprobe:f,kprobe:g/pid==$1/{@x[pid,comm]=count();\n\n\n// inside\nif(pid){exit()}"
                      "else if(1){ }else{$x=1}}  // behind\nEND{clear(@x)}// last"),
            "#!/usr/bin/env espy\n// head\n\nkprobe:f, kprobe:g /pid == $1/ {\n  @x[pid, comm] = count();\n\n  // inside\n"
            "  if (pid) {\n    exit();\n  } else if (1) { } else {\n    $x = 1;\n  }\n} // behind\n\nEND {\n  clear(@x);\n} // last\n");
}

TEST(Format, CommentsStayWithWhatTheyStandBy) {
  const std::string text =
      "begin { // opens\n  // first\n  $x = 1; // one\n\n  /* two\n     lines */\n  $y = f(1, // inside\n    2);\n  // closes\n}\n";
  EXPECT_EQ(formatted(text),
            "begin { // opens\n  // first\n  $x = 1; // one\n\n  /* two\n     lines */\n  $y = f(1, 2); // inside\n  // closes\n}\n");
  EXPECT_EQ(formatted("begin {\n  // only\n}"), "begin {\n  // only\n}\n");
}

TEST(Format, LongCallsBreakBetweenArguments) {
  const std::string argument = "\"0123456789012345678901234567890123456789\"";
  EXPECT_EQ(formatted("begin { printf(" + argument + ", " + argument + ", " + argument + "); }"),
            "begin {\n  printf(" + argument + ", " + argument + ",\n      " + argument + ");\n}\n");
}

TEST(Spell, TreesMadeByStagesGetTheParenthesesTheyNeed) {
  const Expr one{.node = Integer{.value = 1}}, minus{.node = Integer{.value = static_cast<std::uint64_t>(-5)}};
  const Expr sum{.node = Binary{BinaryOp::add, one, minus}};
  EXPECT_EQ(to_string(Expr{.node = Binary{BinaryOp::mul, sum, sum}}), "(1 + -5) * (1 + -5)");
  EXPECT_EQ(to_string(Expr{.node = Binary{BinaryOp::sub, one, sum}}), "1 - (1 + -5)");
  EXPECT_EQ(to_string(Expr{.node = Unary{UnaryOp::minus, minus}}), "- -5");
  EXPECT_EQ(to_string(Expr{.node = Member{sum, "f"}}), "(1 + -5).f");
  EXPECT_EQ(to_string(Expr{.node = String{"a\n\"\x01"}}), "\"a\\n\\\"\\001\"");
}

TEST(Dump, ShowsTheTree) {
  const Parsed parsed("kprobe:f /pid/ { @x[1] += -$y; for $i : 0..2 { break } }");
  EXPECT_EQ(dump(parsed.script),
            "probe\n  at kprobe:f\n  if\n    name pid\n  assign +=\n    map @x\n      integer 1\n    unary -\n      variable $y\n"
            "  for $i from\n    integer 0\n  to\n    integer 2\n  body\n    break\n");
}

TEST(Dump, ShowsTypes) {
  EXPECT_EQ(dump(Expr{.node = Variable{"x"}, .type = int64_type()}), "variable $x :: int64\n");
}

}  // namespace
}  // namespace espy::trace
