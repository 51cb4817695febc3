#include "verifier/diagnostic.hpp"

#include <gtest/gtest.h>

namespace espy::verifier {
namespace {

Place place(std::uint32_t line, std::uint32_t column, std::string source) {
  return {.insn = line, .function = "handle", .file = "probe.bpf.c", .line = line, .column = column, .source = std::move(source)};
}

TEST(Diagnostic, IsDrawnLikeACompilers) {
  const Diagnostic diagnostic{
      .place = place(23, 10, "  buf[n] = 1;"), .message = "`n` may reach past the end of `buf`",
      .values = "n may be 0…4294967295, the buffer holds 64 bytes",
      .path = {{place(20, 17, "\t__u32 n = ctx->len;"), "n is read from the context here"}},
      .hint = "check `n < 64` before this line", .kernel_says = "R1 unbounded memory access"};
  EXPECT_EQ(draw(diagnostic),
            "error: `n` may reach past the end of `buf`\n"
            "  --> probe.bpf.c:23:10, in handle, instruction 23\n"
            "   |\n"
            "23 |   buf[n] = 1;\n"
            "   |   ^^^^^^^^^^ n may be 0…4294967295, the buffer holds 64 bytes\n"
            "note: n is read from the context here\n"
            "20 |  __u32 n = ctx->len;\n"
            "   |            --------\n"
            "help: check `n < 64` before this line\n");
  EXPECT_NE(draw(diagnostic, {.kernel_words = true}).find("the kernel would say: R1 unbounded"), std::string::npos);
  EXPECT_NE(draw(diagnostic, {.colour = true}).find("\033["), std::string::npos);
}

TEST(Diagnostic, WithoutLinesNamesInstructions) {
  const Diagnostic diagnostic{.place = {.insn = 7}, .message = "r2 was never written", .path = {{{.insn = 3}, "this branch is taken"}}};
  EXPECT_EQ(draw(diagnostic), "error: r2 was never written\n  --> instruction 7\nnote: this branch is taken (instruction 3)\n");
}

TEST(Diagnostic, LongPathsKeepTheirEnds) {
  Diagnostic diagnostic{.place = {.insn = 100}, .message = "no"};
  for (std::uint32_t i = 0; i < 50; ++i) diagnostic.path.push_back({{.insn = i}, "step"});
  const std::string text = draw(diagnostic, {.max_notes = 4});
  EXPECT_NE(text.find("(instruction 1)\n   … 46 steps more …\n"), std::string::npos) << text;
  EXPECT_NE(text.find("(instruction 49)"), std::string::npos);
}

TEST(Diagnostic, UnderlinesTheExpression) {
  struct Case {
    std::string_view source;
    std::size_t column;
    std::string_view underlined;
  };
  for (const Case& one : {Case{"  x = f(a, b[1]);", 7, "f(a, b[1])"}, {"  if (n > 4) {", 9, "n > 4"}, {"  if (n > 4) {", 3, "if (n > 4)"},
                          {"  f(a, b);", 5, "a"}, {"  buf[n] = 1;", 10, "buf[n] = 1"}, {"  buf[n] = 1;", 3, "buf[n]"},
                          {"  return task->mm->pgd + 1;", 20, "task->mm->pgd"}, {"  x = get(a)[2].next->pid;", 23, "get(a)[2].next->pid"},
                          {"  *p = 0;", 3, "*p = 0"}, {"  x = (long)ctx->data_end;", 18, "(long)ctx->data_end"}, {"  return x;", 3, "return x"}}) {
    const Underline at = expression_at(one.source, one.column);
    EXPECT_EQ(one.source.substr(at.begin, at.length), one.underlined) << one.source;
  }
  EXPECT_EQ(expression_at("", 9), Underline{});
  EXPECT_EQ(expression_at(";", 1), Underline{});
  for (std::size_t column = 0; column < 12; ++column) EXPECT_LE(expression_at(")]->.((->", column).begin, 8U);
}

/// Columns and text come from an object's BTF, which may say anything.
TEST(Diagnostic, OddPlacesAreDrawnAllTheSame) {
  EXPECT_FALSE(draw({.place = place(4'000'000'000U, 70'000, "x")}).empty());
  EXPECT_FALSE(draw({.place = place(1, 0, " \t ")}).empty());
  EXPECT_EQ(draw({.place = place(1, 1, "\x1b[31mred")}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace espy::verifier
