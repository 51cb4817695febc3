#include "case.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace espy::test {

namespace {

const std::set<std::string>& known() {
  static const std::set<std::string> names{"NAME", "PROG", "OPTS", "RUN", "FILE", "ENV", "BEFORE", "AFTER", "TIMEOUT", "ENGINES", "EXPECT", "EXPECT_PART",
      "EXPECT_REGEX", "EXPECT_NONE", "EXPECT_JSON", "EXPECT_FILE", "ERROR", "STATUS", "SINCE", "REQUIRES"};
  return names;
}

bool older_than(const std::string& version) {
  utsname names{};
  ::uname(&names);
  auto numbers = [](const char* text) {
    char* end = nullptr;
    long major = std::strtol(text, &end, 10);
    long minor = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
    return std::pair(major, minor);
  };
  return numbers(names.release) < numbers(version.c_str());
}

bool succeeds(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

// Why this machine has not all that a REQUIRES names.
std::string lacking(const std::string& needed) {
  std::istringstream words(needed);
  for (std::string word; words >> word;) {
    if (word.starts_with('\'') || word.starts_with('"')) {
      std::string rest;
      std::getline(words, rest);
      std::string command = (word + rest).substr(1, (word + rest).size() - 2);
      return succeeds(command) ? "" : "`" + command + "` fails here";
    }
    if (word == "root" && ::geteuid() != 0) return "needs root";
    if (word == "kprobe" && !succeeds("test -e /sys/bus/event_source/devices/kprobe/type")) return "this kernel has no kprobes";
    if (word == "fentry" && std::getenv("ESPY_TEST_FENTRY") == nullptr) return "this kernel refuses fentry programs";
    if (word == "lsm" && std::getenv("ESPY_TEST_LSM") == nullptr) return "this kernel refuses LSM programs";
    if (word == "hardware" && !succeeds("test -e /sys/bus/event_source/devices/cpu/type")) return "no hardware counters";
    if (word == "bpftrace" && !succeeds("bpftrace --version")) return "bpftrace is not installed";
    if (word == "clang" && !succeeds("clang-19 --version")) return "clang-19 is not installed";
  }
  return "";
}

}  // namespace

std::string Case::value(const std::string& directive) const {
  auto found = directives.find(directive);
  return found == directives.end() ? "" : found->second;
}

std::vector<std::string> Case::values(const std::string& directive) const {
  std::vector<std::string> all;
  auto [first, last] = directives.equal_range(directive);
  for (; first != last; ++first) all.push_back(first->second);
  return all;
}

namespace {

// With the folder of the programs that the tests make in its place.
std::string placed(std::string text) {
  constexpr std::string_view name = "@PROGRAMS@";
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) text.replace(at, name.size(), ESPY_BINARY_DIR "/tests/trace/programs");
  return text;
}

// A case for each engine that it is run with.
std::vector<Case> for_each_engine(std::vector<Case> cases, const std::string& usual) {
  std::vector<Case> out;
  for (Case& test : cases) {
    std::istringstream engines(test.has("ENGINES") ? test.value("ENGINES") : usual);
    std::size_t before = out.size();
    for (std::string engine; engines >> engine;) {
      if (test.has("RUN") && !test.value("RUN").contains("$ENGINE")) break;  // says itself what it runs
      out.push_back(test);
      out.back().engine = engine;
      if (engine != "kernel") out.back().name += " on the " + engine + " engine";
    }
    if (out.size() == before) out.push_back(std::move(test));
  }
  return out;
}

}  // namespace

std::vector<Case> read_cases(const std::string& path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  std::string line, engines;
  std::multimap<std::string, std::string>::iterator last;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.starts_with('#') || line.find_first_not_of(" \t") == std::string::npos) continue;
    if ((line[0] == ' ' || line[0] == '\t') && !cases.empty()) {
      // Of a file, what is indented more than the first column stays so.
      last->second += "\n" + placed(line.substr(last->first == "FILE" ? 1 : line.find_first_not_of(" \t")));
      continue;
    }
    std::size_t space = std::min(line.find(' '), line.size());
    std::string word = line.substr(0, space), rest = space < line.size() ? line.substr(space + 1) : "";
    if (word == "ENGINES" && cases.empty()) {
      engines = rest;
      continue;
    }
    if (word == "NAME") cases.push_back({.name = rest, .file = path, .line = number});
    if (cases.empty() || !known().contains(word)) {
      cases.push_back({.name = "malformed", .file = path, .line = number, .directives = {}});
      word = "MALFORMED", rest = line;
    }
    last = cases.back().directives.emplace(word, placed(rest));
  }
  return for_each_engine(std::move(cases), engines);
}

std::string missing(const Case& test) {
  if (test.has("SINCE") && test.engine != "user" && older_than(test.value("SINCE"))) return "needs Linux " + test.value("SINCE");
  for (const std::string& needed : test.values("REQUIRES")) {
    if (std::string reason = lacking(needed); !reason.empty()) return reason;
  }
  return "";
}

}  // namespace espy::test
