// Small programs, compiled as a test asks, and processes that run them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace espy::symbol {

/// Where this run's programs are made; gone when it ends.
inline std::string test_folder() {
  struct Folder {
    std::string path = ESPY_BINARY_DIR "/tests/symbol/made." + std::to_string(::getpid());
    int owner = ::getpid();
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      if (::getpid() == owner) std::filesystem::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

inline std::string output_of(const std::string& command) {
  std::string text;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 4096> buffer;
  while (pipe)
    if (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) text.append(buffer.data(), got);
    else break;
  return text;
}

inline void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

/// Compiles a source; the program's path.
inline std::string compile(const std::string& name, const std::string& source, const std::string& flags, const char* compiler = ESPY_CC,
                           const std::string& suffix = "c") {
  const std::string input = test_folder() + "/" + name + "." + suffix, output = test_folder() + "/" + name;
  EXPECT_TRUE(write_file(input, bytes_of(std::string_view(source))));
  run(fmt::format("{} {} -w -o {} {}", compiler, flags, output, input));
  return output;
}

/// A process that has written a line of addresses ("1234 abcd") and then waits for its input to end.
class Child {
 public:
  explicit Child(const std::string& command) {
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(to[0], 0), ::dup2(from[1], 1);

      ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]), ::close(from[1]);
    input_ = UniqueFd(to[1]);
    UniqueFd out(from[0]);
    std::string line;
    for (char c = 0; ::read(out.get(), &c, 1) == 1 && c != '\n';) line += c;
    for (std::string_view word : split_words(line)) addresses_.push_back(parse_number<std::uint64_t>("0x" + std::string(word)).value_or(0));
  }
  ~Child() { end(); }

  int pid() const { return pid_; }
  std::uint64_t address(std::size_t index) const { return index < addresses_.size() ? addresses_[index] : 0; }
  void end() {
    input_ = {};
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  int pid_ = -1;
  UniqueFd input_;
  std::vector<std::uint64_t> addresses_;
};

inline const std::string kProgram = R"(
#include <stdio.h>
#include <time.h>
static inline __attribute__((always_inline)) int inlined(int x) {
  return x * 7 + 1;
}
__attribute__((noinline)) int visible(int x) {
  int y = inlined(x);
  return y + 1;
}
static __attribute__((noinline)) int hidden(int x) {
  return visible(x) + 2;
}
int variable = 5;
int main(int argc, char** argv) {
  printf("%lx %lx %lx %lx %lx\n", (long)&visible, (long)&hidden, (long)&main, (long)&printf, (long)&variable);
  fflush(stdout);
  while (getchar() != EOF) hidden(argc);
  return 0;
}
)";

}  // namespace espy::symbol
