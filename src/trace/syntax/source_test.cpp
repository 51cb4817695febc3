#include "trace/syntax/source.hpp"

#include <gtest/gtest.h>

namespace espy::trace {
namespace {

TEST(Sources, PositionsCountLinesAndBytes) {
  Sources sources;
  const std::uint32_t number = sources.add("a.bt", "one\ntwo\r\n\nfour");
  EXPECT_EQ(sources.position({0, 1, number}).line, 1U);
  EXPECT_EQ(sources.position({3, 3, number}).column, 4U);
  EXPECT_EQ(sources.position({4, 5, number}).line, 2U);
  EXPECT_EQ(sources.position({10, 14, number}).line, 4U);
  EXPECT_EQ(sources.line({5, 6, number}), "two");
  EXPECT_EQ(sources.line({9, 9, number}), "");
  EXPECT_EQ(sources.line({14, 14, number}), "four");
  EXPECT_EQ(sources.text({10, 14, number}), "four");
  EXPECT_EQ(sources.text({10, 99, 7}), "");
}

TEST(Render, MarksStandUnderTheirCharacters) {
  Sources sources;
  const std::uint32_t number = sources.add("s.bt", "x\n\t\"\xc3\xa9\xe4\xb8\xad\" foo(bar)\n");
  Diagnostic diagnostic{.at = {11, 14, number}, .message = "no `foo`", .hint = "did you mean `for`?"};
  EXPECT_EQ(render(diagnostic, sources, false),
            "s.bt:2:10-13: ERROR: no `foo`\n"
            "\t\"\xc3\xa9\xe4\xb8\xad\" foo(bar)\n"
            "\t      ~~~\n"
            "HINT: did you mean `for`?\n");
  EXPECT_NE(render(diagnostic, sources, true).find("\033["), std::string::npos);
}

TEST(Render, SpansOfSeveralLinesAndOfNone) {
  Sources sources;
  const std::uint32_t number = sources.add("s.bt", "abc\ndef");
  EXPECT_EQ(render({.at = {1, 6, number}, .message = "m"}, sources, false), "s.bt:1:2: ERROR: m\nabc\n ~~\n");
  EXPECT_EQ(render({.severity = Severity::warning, .at = {7, 7, number}, .message = "m"}, sources, false),
            "s.bt:2:4: WARNING: m\ndef\n   ~\n");
  EXPECT_EQ(render({.at = {0, 0, 9}, .message = "m"}, sources, false), "script: ERROR: m\n");
}

TEST(Render, ExpansionsShowBothPlaces) {
  Sources sources;
  const std::uint32_t script = sources.add("s.bt", "macro f(x) { y }\nbegin { f(1) }");
  const std::uint32_t expanded = sources.add_expansion(script, {.at = {25, 29, script}, .macro = "f"});
  EXPECT_EQ(render({.at = {13, 14, expanded}, .message = "no `y`"}, sources, false),
            "s.bt:1:14-15: ERROR: no `y`\nmacro f(x) { y }\n             ~\n"
            "s.bt:2:9-13: NOTE: in the expansion of macro `f`\nbegin { f(1) }\n        ~~~~\n");
}

}  // namespace
}  // namespace espy::trace
