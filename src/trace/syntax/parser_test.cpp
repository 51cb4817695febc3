#include "trace/syntax/parser.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "trace/syntax/grammar_cases.hpp"

namespace espy::trace {
namespace {

/// All errors of a script as "line:column-end message | hint".
std::vector<std::string> errors_of(const std::string& script) {
  Sources sources;
  Diagnostics diagnostics;
  parse(sources, sources.add("s", script), diagnostics);
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const Position from = sources.position(diagnostic.at);
    lines.push_back(fmt::format("{}:{} {}{}{}", from.line, from.column, diagnostic.message, diagnostic.hint.empty() ? "" : " | ", diagnostic.hint));
  }
  return lines;
}

class Accepts : public testing::TestWithParam<std::string_view> {};
TEST_P(Accepts, WithoutErrors) {
  for (const std::string& error : errors_of(std::string(GetParam()))) ADD_FAILURE() << GetParam() << "\n" << error;
}
INSTANTIATE_TEST_SUITE_P(Grammar, Accepts, testing::ValuesIn(kGrammarCases));

}  // namespace
}  // namespace espy::trace
