// What programs print with bpf_printk.
//
// The usual way, reading trace_pipe, takes the lines away from every other reader and begins with old ones. The helper also
// is a tracepoint of its own (bpf_trace:bpf_trace_printk, 5.9), so a perf event on it gets each line as it is printed,
// takes nothing from anybody and goes with its descriptor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace espy::kernel {

struct PrintkLine {
  std::int32_t pid = 0;        ///< thread that the program ran in; 0 the idle task
  std::string_view comm;       ///< its name, as it is when the line is read; empty: it is gone
  std::string_view message;    ///< without the newline at its end
};

/// Reads the lines of all programs that run while it is open: the kernel does not say which one printed.
class PrintkReader {
 public:
  static Result<PrintkReader> open();
  PrintkReader(PrintkReader&&) noexcept;
  PrintkReader& operator=(PrintkReader&&) noexcept;
  ~PrintkReader();

  /// Hands over the lines that are there; returns how many. The views are valid during the call.
  Result<std::size_t> drain(const std::function<void(const PrintkLine&)>& sink);
  std::vector<int> fds() const;   ///< for epoll
  std::uint64_t lost() const;     ///< lines dropped for want of room, so far

 private:
  struct Impl;
  explicit PrintkReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espy::kernel
