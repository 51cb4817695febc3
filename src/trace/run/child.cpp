#include "trace/run/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/text.hpp"

extern char** environ;

namespace espy::trace::run {

namespace {

constexpr long kPidfdOpen = 434;   // the same number on all architectures

// Between fork and exec: only what is safe there. The session's blocked signals are not the child's.
[[noreturn]] void become(char* const* words, int report) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::execvp(words[0], words);
  const int error = errno;
  [[maybe_unused]] auto told = ::write(report, &error, sizeof error);
  ::_exit(127);
}

// Words as a shell has them, without what it replaces: quotes of both kinds, and \ in front of what has a meaning.
Result<std::vector<std::string>> words_of(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < command.size() && (quote == 0 || command[i + 1] == '"' || command[i + 1] == '\\');
    if (escapes) words.back() += command[++i];
    else if (c == quote) quote = 0;
    else if (quote == 0 && (c == '\'' || c == '"')) quote = c;
    else words.back() += c;
  }
  if (quote != 0) return fail(ErrorKind::invalid_argument, "the command of -c has no closing {}", quote);
  if (words.empty() || words.front().empty()) return fail(ErrorKind::invalid_argument, "the command of -c is empty");
  return words;
}

}  // namespace

Result<UniqueFd> open_process(int pid) {
  UniqueFd process(static_cast<int>(::syscall(kPidfdOpen, pid, 0)));
  if (process) return process;
  auto failure = fail_sys(errno, "watch process {}", pid);
  if (errno == ESRCH) failure.error().kind = ErrorKind::not_found, failure.error().message = fmt::format("there is no process {}", pid);
  return failure;
}

Result<Child> Child::spawn(std::string_view command) {
  std::vector<std::string> words = TRY(words_of(command));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_sys(errno, "make a pipe");
  UniqueFd reading(ends[0]), writing(ends[1]);

  const int pid = ::fork();
  if (pid < 0) return fail_sys(errno, "start `{}`", words[0]);
  if (pid == 0) become(arguments.data(), writing.get());
  writing.reset();
  int error = 0, status = 0;
  // Its exec closes the pipe: nothing to read then.
  if (::read(reading.get(), &error, sizeof error) == sizeof error) {
    ::waitpid(pid, &status, 0);
    return fail_sys(error, "start `{}`", words[0]);
  }
  if (::waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return fail(ErrorKind::io, "`{}` ended before it could be traced", words[0]);
  auto process = open_process(pid);
  Child child(pid, process ? std::move(*process) : UniqueFd{});
  if (!process) return std::unexpected(std::move(process.error()));
  return child;
}

Child::~Child() {
  if (!process_ || status()) return;
  // One that stands still would never see a gentler signal.
  ::kill(pid_, stopped_ ? SIGKILL : SIGTERM);
  int ignored = 0;
  ::waitpid(pid_, &ignored, stopped_ ? 0 : WNOHANG);
}

Result<void> Child::resume() {
  if (!stopped_) return {};
  if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) != 0) return fail_sys(errno, "let process {} run", pid_);
  stopped_ = false;
  return {};
}

std::optional<int> Child::status() {
  if (status_ || stopped_) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_ && (WIFEXITED(status) || WIFSIGNALED(status))) status_ = status;
  return status_;
}

Result<void> run_shell(const std::string& command, std::string& out) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_sys(errno, "make a pipe");
  UniqueFd reading(ends[0]), writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  char shell[] = "sh", flag[] = "-c";
  std::string text = command;
  char* const arguments[] = {shell, flag, text.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail_sys(error, "run `{}`", command);
  writing.reset();
  char chunk[4096];
  ssize_t count = 0;
  while ((count = ::read(reading.get(), chunk, sizeof chunk)) > 0 || (count < 0 && errno == EINTR))
    if (count > 0) out.append(chunk, static_cast<std::size_t>(count));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return {};
}

}  // namespace espy::trace::run
