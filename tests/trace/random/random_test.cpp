// Scripts made at random, on both engines: what they print is what the test's own evaluation of them gives.
// ESPY_SEEDS=FIRST-LAST chooses the seeds; ESPY names the program; a seed that fails is named with the script's text.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "script.hpp"

namespace espy::test {
namespace {

struct Seeds {
  std::uint64_t first = 1, last = 8;
};

Seeds seeds() {
  Seeds chosen;
  const char* given = std::getenv("ESPY_SEEDS");
  if (given == nullptr) return chosen;
  char* end = nullptr;
  chosen.first = chosen.last = std::strtoull(given, &end, 10);
  if (*end == '-') chosen.last = std::strtoull(end + 1, nullptr, 10);
  return chosen;
}

std::string program() {
  const char* given = std::getenv("ESPY");
  return given != nullptr ? given : ESPY_BINARY_DIR "/espy";
}

struct Ran {
  std::vector<std::string> lines;
  int status = -1;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return ran;
  std::string all;
  char block[4096];
  while (std::size_t got = std::fread(block, 1, sizeof block, pipe)) all.append(block, got);
  int raw = ::pclose(pipe);
  ran.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  std::istringstream stream(all);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) ran.lines.push_back(line);
  return ran;
}

// Some scripts are more than the kernel's verifier follows, and are refused as such.
bool is_too_much(const Ran& ran) {
  if (ran.status != 1 || ran.lines.empty()) return false;
  for (const char* reason : {"program is too large", "Argument list too long"})
    if (ran.lines[0].find(reason) != std::string::npos) return true;
  return false;
}

class RandomScripts : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomScripts, GiveWhatTheyShould) {
  std::string engine = GetParam();
  if (engine == "kernel" && ::geteuid() != 0) GTEST_SKIP() << "needs root";
  char folder[] = "/tmp/espy-random-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  std::string path = std::string(folder) + "/script.bt";
  std::uint64_t refused = 0;
  for (std::uint64_t seed = seeds().first; seed <= seeds().last; ++seed) {
    Script script = random_script(seed);
    std::ofstream(path) << script.text;
    Ran ran = run("timeout 60 " + program() + " trace -q --no-warnings --engine " + engine + " " + path + " 2>&1");
    if (ran.status == 0 && ran.lines == script.output) continue;
    if (is_too_much(ran)) {
      ++refused;
      continue;
    }
    std::size_t first = 0;
    while (first < ran.lines.size() && first < script.output.size() && ran.lines[first] == script.output[first]) ++first;
    ADD_FAILURE() << "seed " << seed << " on the " << engine << " engine, status " << ran.status << ", line " << first + 1 << " of the output\n"
                  << "  is:     " << (first < ran.lines.size() ? ran.lines[first] : "(nothing)") << "\n"
                  << "  should: " << (first < script.output.size() ? script.output[first] : "(nothing)");
    if (std::getenv("ESPY_KEEP") != nullptr) std::filesystem::copy_file(path, std::string(std::getenv("ESPY_KEEP")) + "/" + std::to_string(seed) + ".bt", std::filesystem::copy_options::overwrite_existing);
    else std::printf("%s", script.text.c_str());
  }
  std::filesystem::remove_all(folder);
  std::uint64_t all = seeds().last - seeds().first + 1;
  std::printf("seeds %lu to %lu: %lu of %lu scripts are more than a program may be\n", seeds().first, seeds().last, refused, all);
  EXPECT_LE(refused, 1 + all / 50);
}

INSTANTIATE_TEST_SUITE_P(Engines, RandomScripts, ::testing::Values("kernel", "user"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace espy::test
