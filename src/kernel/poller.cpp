#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "kernel/records.hpp"

namespace espy::kernel {

Result<Poller> Poller::create() {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return fail_sys(errno, "make an epoll descriptor");
  return Poller(std::move(fd));
}

Result<void> Poller::add(int fd, std::uint32_t token) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = token;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_sys(errno, "wait on descriptor {}", fd);
  return {};
}

Result<std::vector<std::uint32_t>> Poller::wait(std::chrono::milliseconds timeout) {
  std::array<epoll_event, 64> events;
  int count = ::epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(timeout.count()));
  if (count < 0 && errno == EINTR) return std::vector<std::uint32_t>{};
  if (count < 0) return fail_sys(errno, "wait for records");
  std::vector<std::uint32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(events[static_cast<std::size_t>(i)].data.u32);
  return tokens;
}

}  // namespace espy::kernel
