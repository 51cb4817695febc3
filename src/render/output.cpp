#include "render/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace espy::render {

TextSink to_descriptor(int fd) {
  return [fd](std::string_view text) -> Result<void> {
    while (!text.empty()) {
      ssize_t wrote = ::write(fd, text.data(), text.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return fail_sys(errno, "write the output");
      text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  };
}

TextSink to_string(std::string& out) {
  return [&out](std::string_view text) -> Result<void> {
    out += text;
    return {};
  };
}

bool wants_colours(int fd) {
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && (none == nullptr || *none == '\0') && (term == nullptr || std::string_view(term) != "dumb");
}

std::int64_t wall_clock_offset() {
  auto now = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
}

}  // namespace espy::render
