// Cases as data: testdata/*.test hold IR and, behind `--- v1 v3`, the code for these instruction set levels. A case may
// ask for a target's shortcomings (`no_fetching_atomics`) behind its name, and expect an error. ESPY_UPDATE=1 rewrites them.
#include "ir/bpf/emit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "ir/check.hpp"
#include "ir/text.hpp"
#include "isa/disassemble.hpp"

namespace espy::ir::bpf {
namespace {

std::string reference_text(const Module& module, const Reference& reference) {
  switch (reference.kind) {
    case ReferenceKind::map: return fmt::format("map {}", module[MapId{reference.id}]);
    case ReferenceKind::map_value: return fmt::format("value {}+{}", module[MapId{reference.id}], reference.offset);
    case ReferenceKind::function: return fmt::format("func {}", module[FuncId{reference.id}].name);
    case ReferenceKind::external: return fmt::format("extern {}", module[ExternId{reference.id}].name);
  }
  return {};
}

/// What a case expects for one level: the code of all functions, with what instructions refer to.
std::string code_text(const Module& module, const Options& options) {
  Result<std::vector<Code>> code = emit(module, options);
  if (!code) {
    std::string text = "error: " + one_line(code.error()) + "\n";
    for (const std::string& note : code.error().notes) text += "note: " + note + "\n";
    return text;
  }
  std::string text;
  for (const Code& function : *code) {
    if (code->size() > 1) text += function.name + ":\n";
    std::size_t next = 0;
    isa::DisassembleOptions how{.jumps = isa::JumpStyle::labels};
    how.before = [&](isa::InsnIdx at, std::string& out) {
      for (; next < function.references.size() && function.references[next].insn == at; ++next)
        out += "; " + reference_text(module, function.references[next]) + "\n";
    };
    text += isa::disassemble(function.insns, how);
  }
  return text;
}

struct Case {
  std::string title, ir;
  std::vector<std::pair<std::string, std::string>> expected;   // levels ("v1 v2"), code
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  std::string* text = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({.title = line.substr(4)});
      text = &cases.back().ir;
    } else if (line.starts_with("--- ")) {
      cases.back().expected.emplace_back(line.substr(4), "");
      text = &cases.back().expected.back().second;
    } else if (text != nullptr) {
      *text += line + "\n";
    }
  }
  return cases;
}

/// The code at all levels, equal ones together.
std::vector<std::pair<std::string, std::string>> emitted(const Case& test) {
  auto module = parse(test.ir, test.title);
  if (!module) return {{"v1", describe(module.error())}};
  if (auto checked = check(*module); !checked) return {{"v1", describe(checked.error())}};
  std::vector<std::pair<std::string, std::string>> result;
  for (unsigned isa = 1; isa <= 4; ++isa) {
    Options options{.isa = isa, .fetching_atomics = test.title.find("no_fetching_atomics") == std::string::npos,
                    .ordered_access = test.title.find("ordered_access") != std::string::npos};
    std::string text = code_text(*module, options), level = "v" + std::to_string(isa);
    auto same = std::ranges::find(result, text, &std::pair<std::string, std::string>::second);
    if (same == result.end())
      result.emplace_back(level, text);
    else
      same->first += " " + level;
  }
  return result;
}

class EmitCases : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(EmitCases, GiveTheCode) {
  std::vector<Case> cases = read_cases(GetParam());
  ASSERT_FALSE(cases.empty());
  if (std::getenv("ESPY_UPDATE") != nullptr) {
    std::ofstream file(GetParam());
    for (const Case& test : cases) {
      file << "=== " << test.title << "\n" << test.ir;
      for (const auto& [levels, code] : emitted(test)) file << "--- " << levels << "\n" << code;
    }
    return;
  }
  for (const Case& test : cases) EXPECT_EQ(emitted(test), test.expected) << test.title;
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(ESPY_SOURCE_DIR "/src/ir/bpf/testdata"))
    if (entry.path().extension() == ".test") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

INSTANTIATE_TEST_SUITE_P(Files, EmitCases, testing::ValuesIn(files()), [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace espy::ir::bpf
