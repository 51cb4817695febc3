#include "command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <simdjson.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "base/fd.hpp"

extern char** environ;

namespace espy::test {

namespace {

struct Pipe {
  UniqueFd read_end, write_end;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_end = UniqueFd(fds[0]);
    write_end = UniqueFd(fds[1]);
  }
};

// Reads both pipes until the program has closed them, so that neither fills up.
void read_both(Pipe& out, Pipe& err, Outcome& outcome) {
  std::array<pollfd, 2> polled{{{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}}};
  std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  for (int open = 2; open > 0;) {
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      char buffer[65536];
      ssize_t got = ::read(polled[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(got));
      } else {
        polled[i].fd = -1;
        --open;
      }
    }
  }
}

}  // namespace

Outcome command(const std::vector<std::string>& words, int signal_after_ms) {
  Pipe out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot run " + words[0]);
  out.write_end.reset();
  err.write_end.reset();

  std::jthread interrupter;
  if (signal_after_ms > 0) {
    interrupter = std::jthread([pid, signal_after_ms] {
      std::this_thread::sleep_for(std::chrono::milliseconds(signal_after_ms));
      ::kill(pid, SIGINT);
    });
  }
  Outcome outcome;
  read_both(out, err, outcome);
  if (interrupter.joinable()) interrupter.join();  // before the pid is reaped and may be another's
  int status = 0;
  ::waitpid(pid, &status, 0);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Outcome espy(const std::vector<std::string>& words, int signal_after_ms) {
  std::vector<std::string> all{ESPY_BINARY_DIR "/espy"};
  all.insert(all.end(), words.begin(), words.end());
  return command(all, signal_after_ms);
}

Outcome unprivileged(const std::vector<std::string>& words, const std::string& capabilities) {
  std::vector<std::string> all{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  if (!capabilities.empty()) {
    all.push_back("--inh-caps=" + capabilities);
    all.push_back("--ambient-caps=" + capabilities);
  }
  all.insert(all.end(), words.begin(), words.end());
  return command(all);
}

Folder::Folder() {
  char name[] = "/tmp/espy-cli-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
  ::chmod(name, 0755);
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

void write(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) throw std::runtime_error("write " + path);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Caller::Caller() : thread_([](std::stop_token stop) {
  while (!stop.stop_requested()) {
    ::syscall(SYS_getppid);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}) {}

std::multimap<std::string, std::string> by_type(const std::string& output) {
  std::multimap<std::string, std::string> found;
  simdjson::dom::parser parser;
  for (const std::string& line : lines(output)) {
    simdjson::dom::element element;
    EXPECT_EQ(parser.parse(line).get(element), simdjson::SUCCESS) << line;
    std::string_view type;
    EXPECT_EQ(element["type"].get(type), simdjson::SUCCESS) << line;
    found.emplace(type, line);
  }
  return found;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

std::string example(const std::string& name) { return ESPY_BINARY_DIR "/examples/" + name; }
std::string object(const std::string& name) { return ESPY_BINARY_DIR "/tests/cli/" + name; }
bool privileged() { return ::geteuid() == 0; }

}  // namespace espy::test
