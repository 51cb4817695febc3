// docs/check.md: an introduction by hand, and behind the mark a section for each rejection, made from what the program says.
// ESPY_UPDATE=1 writes the file anew.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "command.hpp"
#include "rejection.hpp"

namespace espy::test {

std::vector<Rejection> rejections() {
  const std::filesystem::path sources = ESPY_SOURCE_DIR "/tests/check/rejections", objects = ESPY_BINARY_DIR "/tests/check/rejections";
  std::vector<Rejection> all;
  for (const auto& entry : std::filesystem::directory_iterator(sources)) {
    const std::string stem = entry.path().stem().stem();  // 02_missing_null_check.bpf.c
    Rejection one{.name = stem.substr(stem.find('_') + 1), .object = objects / (stem + ".bpf.o"), .source = {}, .title = {}, .explanation = {}, .kernel = "6.18"};
    bool in_head = true;
    for (const std::string& line : lines(read(entry.path()))) {
      in_head = in_head && line.starts_with("// ");
      if (!in_head) one.source += line + "\n";
      else if (line.starts_with("// kernel: ")) one.kernel = line.substr(11);
      else if (one.title.empty()) one.title = line.substr(3);
      else one.explanation += line.substr(3) + "\n";
    }
    all.push_back(std::move(one));
  }
  std::ranges::sort(all, {}, &Rejection::object);
  return all;
}

namespace {

constexpr std::string_view kMark = "<!-- Below: made by tests/check (ESPY_UPDATE=1 writes it anew). -->\n";
const std::string kDocument = ESPY_SOURCE_DIR "/docs/check.md";

std::string generated() {
  std::string text(kMark);
  const std::filesystem::path before = std::filesystem::current_path();
  auto shown = [&](const std::string& object, const std::vector<std::string>& options) {
    // The object by its bare name, so that the text is the same wherever the tree stands.
    const std::filesystem::path path = object;
    std::filesystem::current_path(path.parent_path());
    std::vector<std::string> words{"check", path.filename()};
    words.insert(words.end(), options.begin(), options.end());
    std::string command = "$ espy";
    for (const std::string& word : words) command += " " + word;
    const Outcome outcome = espy(words);
    EXPECT_EQ(outcome.status, 1) << command;
    return "```\n" + command + "\n" + outcome.out + outcome.err + "```\n";
  };
  text += "\n## One object, all long-term kernels\n\n";
  text += shown(ESPY_BINARY_DIR "/tests/check/mixed.bpf.o", {"--kernel", "all"});
  text += "\n## What is refused most\n\nThe whole path to a rejection, and the words of the kernel's own log, are what `--explain` adds.\n";
  for (const Rejection& one : rejections()) {
    text += "\n### " + one.title + "\n\n" + one.explanation + "\n```c\n";
    bool begun = false;
    for (const std::string& line : lines(one.source)) {
      if (line.starts_with("#include") || line.starts_with("char LICENSE[] SEC(\"license\") = \"GPL\"") || (!begun && line.empty())) continue;
      begun = true;
      text += line + "\n";
    }
    text += "```\n" + shown(one.object, {"--kernel", one.kernel, "--explain"});
  }
  std::filesystem::current_path(before);
  return text;
}

TEST(Document, ShowsWhatTheProgramSays) {
  const std::string document = read(kDocument);
  const auto mark = document.find(kMark);
  ASSERT_NE(mark, std::string::npos) << kDocument << " has lost its mark";
  const std::string wanted = document.substr(0, mark) + generated();
  if (std::getenv("ESPY_UPDATE") != nullptr) return write(kDocument, wanted);
  EXPECT_EQ(document, wanted) << "ESPY_UPDATE=1 " ESPY_BINARY_DIR "/bin/check_test writes it anew";
}

}  // namespace
}  // namespace espy::test
