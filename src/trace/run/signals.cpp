#include "trace/run/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace espy::trace::run {

Result<BlockedSignals> BlockedSignals::block(const std::vector<int>& more) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::sigaddset(&set, signal);
  for (int signal : more)
    if (signal > 0) ::sigaddset(&set, signal);
  BlockedSignals result;
  if (::sigprocmask(SIG_BLOCK, &set, &result.before_) != 0) return fail_sys(errno, "block signals");
  result.blocked_ = true;
  result.fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!result.fd_) return fail_sys(errno, "wait for signals");
  return result;
}

BlockedSignals& BlockedSignals::operator=(BlockedSignals&& other) noexcept {
  if (this != &other) {
    let_through();
    fd_ = std::move(other.fd_);
    before_ = other.before_;
    blocked_ = std::exchange(other.blocked_, false);
  }
  return *this;
}

int BlockedSignals::next() {
  signalfd_siginfo info{};
  if (!fd_ || ::read(fd_.get(), &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

void BlockedSignals::let_through() {
  if (!blocked_) return;
  while (next() != 0) {}
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  blocked_ = false;
}

void BlockedSignals::let_second_through() {
  if (!blocked_) return;
  struct sigaction once{};
  once.sa_handler = [](int) {};
  once.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  struct sigaction usual{};
  const bool came = next() != 0;  // between the end and now: that was the first
  if (!came && ::sigaction(SIGINT, nullptr, &usual) == 0 && usual.sa_handler == SIG_DFL) ::sigaction(SIGINT, &once, nullptr);
  let_through();
}

}  // namespace espy::trace::run
