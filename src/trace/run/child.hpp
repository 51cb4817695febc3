// The command of -c: started and stopped before its first instruction, so that probes are there before it runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace espy::trace::run {

/// A traced command. Started, waited for and ended by one thread: the kernel ties a stopped child to who stopped it.
class Child {
 public:
  /// Starts `command`, words separated by spaces (no shell), found through PATH. It has exec'ed and stands still; its output
  /// and input are ours.
  static Result<Child> spawn(std::string_view command);
  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) = delete;
  /// Ends a child that still runs (SIGTERM; SIGKILL if it has not run yet).
  ~Child();

  int pid() const { return pid_; }
  /// Lets it run.
  Result<void> resume();
  /// Readable when it has ended. For epoll.
  int descriptor() const { return process_.get(); }
  /// How it ended, as waitpid(2) tells; nullopt: it runs.
  std::optional<int> status();

 private:
  explicit Child(int pid, UniqueFd process) : pid_(pid), process_(std::move(process)) {}

  int pid_ = -1;
  UniqueFd process_;
  bool stopped_ = true;
  std::optional<int> status_;
};

/// A descriptor that is readable when a process has ended (pidfd_open(2), 5.3).
Result<UniqueFd> open_process(int pid);

/// Runs a shell command and appends what it writes to standard output.
Result<void> run_shell(const std::string& command, std::string& out);

}  // namespace espy::trace::run
