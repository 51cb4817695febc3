// Every case of every .test file, as a test of its own: FILE.NAME.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/file.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "base/fd.hpp"
#include "case.hpp"

namespace espy::test {
namespace {

std::string trimmed(const std::string& text) {
  std::size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string minified(const std::string& json) {
  std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t size = 0;
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(json).get(element) != simdjson::SUCCESS) return "no JSON: " + json;
  if (simdjson::minify(json.data(), json.size(), out.data(), size) != simdjson::SUCCESS) return "no JSON: " + json;
  out.resize(size);
  return out;
}

bool any_matches(const std::vector<std::string>& lines, const std::string& expression) {
  std::regex regex(expression);
  return std::ranges::any_of(lines, [&](const std::string& line) { return std::regex_search(line, regex); });
}

void check_json(const Case& test, const std::vector<std::string>& lines) {
  std::vector<std::string> small;
  for (const std::string& line : lines) {
    if (line.find("NOTIFY_PROBES_ATTACHED") == std::string::npos && !trimmed(line).empty()) small.push_back(minified(line));
    if (!small.empty()) { EXPECT_FALSE(small.back().starts_with("no JSON")) << small.back(); }
  }
  for (const std::string& wanted : test.values("EXPECT_JSON")) EXPECT_NE(std::ranges::find(small, minified(wanted)), small.end()) << "expected " << minified(wanted);
}

void check(const Case& test, const Ran& ran) {
  std::vector<std::string> lines = lines_of(ran.out);
  std::string all = ran.out + ran.err;
  std::vector<std::string> both = lines_of(all);
  for (const std::string& wanted : test.values("EXPECT")) {
    EXPECT_TRUE(std::ranges::any_of(both, [&](const std::string& line) { return trimmed(line) == trimmed(wanted); })) << "expected the line: " << wanted;
  }
  for (const std::string& wanted : test.values("EXPECT_PART")) EXPECT_NE(all.find(wanted), std::string::npos) << "expected: " << wanted;
  for (const std::string& wanted : test.values("EXPECT_REGEX")) EXPECT_TRUE(any_matches(both, wanted)) << "expected a match of " << wanted;
  for (const std::string& unwanted : test.values("EXPECT_NONE")) EXPECT_FALSE(any_matches(both, unwanted)) << "unexpected match of " << unwanted;
  for (const std::string& wanted : test.values("ERROR")) EXPECT_NE(ran.err.find(wanted), std::string::npos) << "expected on standard error: " << wanted;
  for (const std::string& name : test.values("EXPECT_FILE")) {
    std::ifstream file(std::filesystem::path(test.file).parent_path() / name, std::ios::binary);
    EXPECT_EQ(ran.out, (std::string(std::istreambuf_iterator<char>(file), {})));
  }
  if (test.has("EXPECT_JSON")) check_json(test, lines);
  int status = test.has("STATUS") ? std::stoi(test.value("STATUS")) : test.has("ERROR") ? 1 : 0;
  EXPECT_EQ(ran.status, status);
  if (::testing::Test::HasFailure()) {
    ADD_FAILURE_AT(test.file.c_str(), test.line) << test.name << "\n-- output\n" << ran.out << "-- errors\n" << ran.err;
  }
}

/// Cases that trace the same programs take turns, for each would count what the others run.
UniqueFd turn(const Case& test) {
  if (!test.file.ends_with("programs.test")) return {};
  UniqueFd file(::open(test.file.c_str(), O_RDONLY | O_CLOEXEC));
  ::flock(file.get(), LOCK_EX);
  return file;
}

class ScriptTest : public ::testing::Test {
 public:
  explicit ScriptTest(Case test) : test_(std::move(test)) {}
  void TestBody() override {
    ASSERT_FALSE(test_.has("MALFORMED")) << test_.file << ":" << test_.line << ": " << test_.value("MALFORMED");
    if (std::string reason = missing(test_); !reason.empty()) GTEST_SKIP() << reason;
    const UniqueFd held = turn(test_);
    check(test_, run(test_));
  }

 private:
  Case test_;
};

std::string identifier(const std::string& text) {
  std::string out;
  for (char c : text) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return out;
}

}  // namespace
}  // namespace espy::test

int main(int argc, char** argv) {
  using namespace espy::test;
  ::testing::InitGoogleTest(&argc, argv);
  const char* given = std::getenv("ESPY_TRACE_CASES");
  std::vector<std::filesystem::path> files;
  std::vector<std::string> folders{ESPY_SOURCE_DIR "/tests/trace/run", ESPY_SOURCE_DIR "/tests/trace/programs"};
  if (given != nullptr) folders = {given};
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".test") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    for (const Case& test : read_cases(file)) {
      ::testing::RegisterTest(identifier(file.stem()).c_str(), identifier(test.name).c_str(), nullptr, nullptr, file.c_str(), test.line,
                              [test]() -> ::testing::Test* { return new ScriptTest(test); });
    }
  }
  return RUN_ALL_TESTS();
}
