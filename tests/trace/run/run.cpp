// Runs a case: the program as a child with its output in files, so that nothing it writes can block it.
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "case.hpp"

namespace espy::test {
namespace {

constexpr const char* kAttached = "__BPFTRACE_NOTIFY_PROBES_ATTACHED";
using Clock = std::chrono::steady_clock;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string program() {
  const char* given = std::getenv("ESPY");
  return given != nullptr ? given : ESPY_BINARY_DIR "/espy";
}

std::chrono::seconds patience() {
  const char* given = std::getenv("ESPY_PATIENCE");
  return std::chrono::seconds(given != nullptr ? std::atoi(given) : 1);
}

constexpr uid_t kNobody = 65534;

// The program where every user can start it.
std::string public_program() {
  static const struct Copy {
    std::string path = "/tmp/espy-public-" + std::to_string(::getpid());
    Copy() { std::filesystem::copy_file(program(), path, std::filesystem::copy_options::overwrite_existing); }
    ~Copy() { std::filesystem::remove(path); }
  } copy;
  return copy.path;
}

// The folder of one run, removed with it.
struct Scratch {
  std::string path;
  Scratch() {
    char name[] = "/tmp/espy-trace-XXXXXX";
    path = ::mkdtemp(name);
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }
  ~Scratch() { std::filesystem::remove_all(path); }
};

pid_t start(const std::string& command, const std::string& folder, const std::string& out, const std::string& err, bool privileged = true) {
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  int in = ::open("/dev/null", O_RDONLY);
  int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644), to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, 0), ::dup2(to_out, 1), ::dup2(to_err, 2);
  if (!privileged && ::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(126);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

// The exit status if it has ended.
bool ended(pid_t pid, int& status) {
  int raw = 0;
  if (::waitpid(pid, &raw, WNOHANG) != pid) return false;
  status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return true;
}

std::string command_of(const Case& test) {
  if (test.has("RUN")) return test.value("RUN");
  std::string options = test.value("OPTS"), behind;
  if (std::size_t dashes = options.find("-- "); dashes != std::string::npos) behind = " " + options.substr(dashes), options.resize(dashes);
  if (!test.engine.empty()) options = "--engine " + test.engine + " " + options;
  return "exec $ESPY trace " + options + " -e " + quoted(test.value("PROG")) + behind;
}

// What the case starts beside the script.
class Companion {
 public:
  Companion(const std::string& command, const std::string& folder) : pid_(start(command, folder, folder + "/.companion", folder + "/.companion")) {}
  ~Companion() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool ended() {
    int status = 0;
    if (pid_ > 0 && test::ended(pid_, status)) pid_ = -1;
    return pid_ <= 0;
  }

 private:
  pid_t pid_;
};

}  // namespace

Ran run(const Case& test) {
  Scratch scratch;
  bool privileged = test.engine != "user";
  if (!privileged && ::geteuid() == 0 && ::chown(scratch.path.c_str(), kNobody, kNobody) != 0) return {};
  for (const std::string& file : test.values("FILE")) {
    std::size_t end = file.find_first_of(" \n");
    std::ofstream(scratch.path + "/" + file.substr(0, end)) << (end == std::string::npos ? "" : file.substr(end + 1)) << "\n";
  }
  std::string environment = "export DIR=" + scratch.path + " CASES=" + quoted(std::filesystem::path(test.file).parent_path()) + " ENGINE=" + (test.engine.empty() ? "kernel" : test.engine) + " ESPY=" + quoted(privileged ? program() : public_program()) + " " + test.value("ENV") + "; ";
  if (test.has("AFTER")) environment += std::string("export ") + kAttached + "=1; ";
  std::vector<Companion> companions;
  companions.reserve(2);
  if (test.has("BEFORE")) {
    companions.emplace_back(environment + "exec " + test.value("BEFORE"), scratch.path);
    environment += "export BEFORE_PID=" + std::to_string(companions[0].pid()) + "; ";
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::string out = scratch.path + "/.out", err = scratch.path + "/.err";
  pid_t pid = start(environment + command_of(test), scratch.path, out, err, privileged);
  auto limit = Clock::now() + patience() * (test.has("TIMEOUT") ? std::stoi(test.value("TIMEOUT")) : 10);
  Ran ran;
  Companion* after = nullptr;
  bool interrupted = false;
  const bool ends_itself = test.value("PROG").find("exit(") != std::string::npos;
  while (!ended(pid, ran.status)) {
    if (Clock::now() > limit) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      break;
    }
    if (test.has("AFTER") && after == nullptr && contents(out).find(kAttached) != std::string::npos) {
      after = &companions.emplace_back(environment + test.value("AFTER"), scratch.path);
    }
    if (after != nullptr && !interrupted && !ends_itself && after->ended()) interrupted = true, ::kill(pid, SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ran.out = contents(out);
  ran.err = contents(err);
  return ran;
}

}  // namespace espy::test
