// What processes do, as the kernel tells it: a perf event that counts nothing (PERF_COUNT_SW_DUMMY) on each CPU, whose
// ring gets a record for each exec, fork, exit and mapping of executable memory of the whole system (perf_event_open(2),
// PERF_RECORD_COMM, FORK, EXIT, MMAP2). This is what keeps a symbol::Symboliser right about processes that have ended.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "symbol/process.hpp"

namespace espy::kernel {

struct ProcessExec {
  int pid = 0;
};
struct ProcessFork {
  int parent = 0, child = 0;
};
struct ProcessExit {
  int pid = 0;
};
struct ProcessMmap {
  int pid = 0;
  symbol::Mapping mapping;
};
/// Of whole processes: what threads do is left out.
using ProcessEvent = std::variant<ProcessExec, ProcessFork, ProcessExit, ProcessMmap>;

class ProcessEvents {
 public:
  /// Needs CAP_PERFMON (CAP_SYS_ADMIN before 5.8), or kernel.perf_event_paranoid below 0: `permission` else. Then a
  /// Symboliser reads /proc at first sight of a process, and misses those that have ended.
  /// `pages_per_cpu`: a power of two.
  static Result<ProcessEvents> open(std::size_t pages_per_cpu = 64);
  ProcessEvents(ProcessEvents&&) noexcept;
  ProcessEvents& operator=(ProcessEvents&&) noexcept;
  ~ProcessEvents();

  /// Hands over what has happened until now, in order of time; returns how many.
  Result<std::size_t> drain(const std::function<void(const ProcessEvent&)>& sink);
  /// The same, told to a Symboliser. Do this before naming addresses of records that have come meanwhile.
  Result<std::size_t> drain(symbol::Symboliser& symbols);

  std::vector<int> fds() const;     ///< for epoll, one for each CPU: readable when a quarter of a ring is full
  std::uint64_t lost() const;       ///< records for which there was no room, so far

 private:
  struct Impl;
  explicit ProcessEvents(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espy::kernel
