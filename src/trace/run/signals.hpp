// Signals as a descriptor: blocked while a script runs, read when the session gets to it.
#pragma once

#include <signal.h>

#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace espy::trace::run {

/// SIGINT, SIGTERM, SIGHUP, SIGPIPE (a write fails instead) and those of the script's self probes. When it goes, signals are as they were.
class BlockedSignals {
 public:
  BlockedSignals() = default;
  static Result<BlockedSignals> block(const std::vector<int>& more);
  BlockedSignals(BlockedSignals&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_), blocked_(std::exchange(other.blocked_, false)) {}
  BlockedSignals& operator=(BlockedSignals&& other) noexcept;
  ~BlockedSignals() { let_through(); }

  int fd() const { return fd_.get(); }
  /// The next signal that came; 0: none.
  int next();
  /// Signals act again as they did before. One that has come and was not read is forgotten.
  void let_through();
  /// The same, but for the first interrupt of the process from now on, which does nothing: it asks for an end that is on its way.
  void let_second_through();

 private:
  UniqueFd fd_;
  sigset_t before_{};
  bool blocked_ = false;
};

}  // namespace espy::trace::run
