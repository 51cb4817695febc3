// Runs the cases of *.test. A case:
//
//   == its name
//   the script, any number of lines; a line `options: unsafe child=7 kernel=5.4` may come first
//   --
//   what comes of it
//
// What comes of it are diagnostics, `LINE:COLUMN-COLUMN: ERROR: message` and `HINT: …`; and if there is no error, the types of
// maps and variables, and what each action is given. With ESPY_UPDATE=1 the files are rewritten with what comes of it now.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "instances.hpp"
#include "trace/builtins.hpp"
#include "trace/check/check.hpp"
#include "trace/functions.hpp"
#include "trace/syntax/parser.hpp"

namespace espy::trace {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name, script, expected;
};

std::vector<Case> read_cases(const fs::path& path) {
  std::ifstream in(path);
  std::vector<Case> out;
  bool in_script = true;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      out.push_back({.name = line.substr(3), .script = {}, .expected = {}});
      in_script = true;
    } else if (line == "--") {
      in_script = false;
    } else if (!out.empty()) {
      (in_script ? out.back().script : out.back().expected) += line + "\n";
    }
  }
  for (Case& each : out) each.expected = std::string(trim(each.expected));
  return out;
}

void write_cases(const fs::path& path, const std::vector<Case>& cases) {
  std::ofstream out(path);
  for (std::size_t i = 0; i < cases.size(); ++i)
    out << (i == 0 ? "" : "\n") << "== " << cases[i].name << "\n" << cases[i].script << "--\n" << cases[i].expected << "\n";
}

std::string show(const Diagnostics& diagnostics, const Sources& sources) {
  std::string out;
  for (const Diagnostic& each : diagnostics.all()) {
    const Position begin = sources.position(each.at);
    Span last = each.at;
    last.begin = last.end;
    const Position end = sources.position(last);
    out += fmt::format("{}:{}-{}: {}: {}\n", begin.line, begin.column, end.column, each.severity == Severity::error ? "ERROR" : "WARNING", each.message);
    if (!each.hint.empty()) out += fmt::format("  HINT: {}\n", each.hint);
  }
  return out;
}

std::string show(const Checked& checked) {
  std::string out;
  for (const CheckedMap& map : checked.maps)
    out += fmt::format("@{}{}: {}\n", map.name, map.key.kind == Kind::none ? "" : "[" + to_string(map.key) + "]", to_string(map.value));
  for (const CheckedProbe& probe : checked.probes)
    for (const CheckedVariable& variable : probe.variables) out += fmt::format("${}: {}\n", variable.name, to_string(variable.type));
  for (const CheckedSubprogram& subprogram : checked.subprograms)
    for (const CheckedVariable& variable : subprogram.variables) out += fmt::format("{} ${}: {}\n", subprogram.name, variable.name, to_string(variable.type));
  for (const Action& action : checked.actions) {
    std::string types;
    for (const Field& argument : action.arguments) types += (types.empty() ? "" : " ") + to_string(argument.type);
    if (!types.empty()) out += fmt::format("action: {}\n", types);
  }
  return out;
}

std::string outcome(const Case& test) {
  static probes::Machine machine = probes::Machine::running();
  CheckOptions options{.machine = &machine, .c_types = made_up_types(), .resolve_probes = made_up_instances};
  options.kernel_symbol = [](std::string_view name) -> Result<std::optional<std::uint64_t>> {
    if (name == "known") return 0xffffffff81000000;
    return std::nullopt;
  };
  options.cgroup_id = [](const std::string& path) -> Result<std::uint64_t> {
    if (path == "/cgroup") return 77;
    return fail(ErrorKind::not_found, "look at {}: No such file or directory", path);
  };
  std::string script = test.script;
  if (script.starts_with("options:")) {
    const std::size_t end = script.find('\n');
    for (std::string_view word : split_words(std::string_view(test.script).substr(8, end - 8))) {
      if (word == "unsafe") options.allow_unsafe = true;
      if (word.starts_with("child=")) options.child = parse_number<std::uint32_t>(word.substr(6));
      if (word.starts_with("kernel=")) {
        const auto parts = split(word.substr(7), '.');
        options.kernel = facts::KernelVersion{parse_number<std::uint16_t>(parts[0]).value(), parse_number<std::uint16_t>(parts[1]).value()};
      }
    }
    script.replace(0, end, std::string(end, ' '));
  }
  Sources sources;
  Diagnostics diagnostics;
  const std::uint32_t source = sources.add("test", script);
  Script tree = parse(sources, source, diagnostics);
  std::optional<Checked> checked;
  if (!diagnostics.has_errors()) checked = check(std::move(tree), options, diagnostics);
  std::string out = show(diagnostics, sources);
  if (checked) out += show(*checked);
  EXPECT_EQ(checked.has_value(), !diagnostics.has_errors());
  return out.empty() ? "ok" : std::string(trim(out));
}

const fs::path kCases = fs::path(ESPY_SOURCE_DIR) / "tests/trace/check";

class Cases : public testing::TestWithParam<fs::path> {};

TEST_P(Cases, ComeOut) {
  std::vector<Case> cases = read_cases(GetParam());
  ASSERT_FALSE(cases.empty());
  const bool update = std::getenv("ESPY_UPDATE") != nullptr;
  for (Case& each : cases) {
    const std::string now = outcome(each);
    if (update) each.expected = now;
    else EXPECT_EQ(now, each.expected) << GetParam().filename() << ": " << each.name << "\n" << each.script;
  }
  if (update) write_cases(GetParam(), cases);
}

std::vector<fs::path> files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kCases))
    if (entry.path().extension() == ".test") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Check, Cases, testing::ValuesIn(files()), [](const auto& info) { return info.param.stem().string(); });

std::string all_scripts() {
  std::string out;
  for (const fs::path& path : files())
    for (const Case& each : read_cases(path)) out += each.script;
  return out;
}

TEST(Check, AThousandStatementsTakeNoTime) {
  // What it took is printed with the test's properties; nothing depends on it.
  std::string script = "tracepoint:a:b {\n";
  for (int i = 0; i < 250; ++i)
    script += fmt::format("$a{0} = args.n + {0}; @m{1}[comm, $a{0}] = count(); if ($a{0} > {0}) {{ printf(\"%d %s\\n\", $a{0}, args.name); }} @t{1} = $a{0} * 2;\n", i, i % 20);
  script += "}\n";
  CheckOptions options{.c_types = made_up_types(), .resolve_probes = made_up_instances};
  Sources sources;
  Diagnostics diagnostics;
  Script tree = parse(sources, sources.add("test", script), diagnostics);
  const auto begin = std::chrono::steady_clock::now();
  const auto checked = check(std::move(tree), options, diagnostics);
  const auto took = std::chrono::steady_clock::now() - begin;
  RecordProperty("microseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  ASSERT_TRUE(checked) << show(diagnostics, sources);
  EXPECT_EQ(checked->maps.size(), 40U);
  EXPECT_EQ(checked->probes.front().variables.size(), 250U);
  EXPECT_EQ(checked->actions.size(), 250U);
}

TEST(Check, EveryRowHasACase) {
  const std::string scripts = all_scripts();
  for (const Function& row : functions()) EXPECT_NE(scripts.find(std::string(row.name) + "("), std::string::npos) << row.name;
  for (const Builtin& row : builtins())
    EXPECT_NE(scripts.find(row.id == BuiltinId::arg ? std::string("arg0") : std::string(row.name)), std::string::npos) << row.name;
}

TEST(Check, ExamplesOfTheTablesPass) {
  const auto passes = [](std::string_view example) {
    Case test{.name = {}, .script = "options: unsafe\n" + std::string(example), .expected = {}};
    const std::string now = outcome(test);
    EXPECT_EQ(now.find("ERROR"), std::string::npos) << example << "\n" << now;
  };
  for (const Builtin& row : builtins())
    if (row.example.find("args.") == std::string_view::npos && row.example.find("ctx.") == std::string_view::npos) passes(row.example);
  for (const Function& row : functions())
    if (row.example.find("args.") == std::string_view::npos && row.example.find("ctx.") == std::string_view::npos &&
        row.example.find("kaddr(") == std::string_view::npos && row.id != FunctionId::cgroupid && row.id != FunctionId::getopt)
      passes(row.example);
}

}  // namespace
}  // namespace espy::trace
