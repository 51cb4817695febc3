// Who watches a process from outside is told of code that was made in it: profilers and debuggers. Each is asked for by an
// environment variable, as each costs something:
//   ESPY_PERF_MAP=1    a line for each program in /tmp/perf-PID.map: `perf report` names it
//   ESPY_JITDUMP=DIR   DIR/jit-PID.dump, with the code itself: `perf record -k mono`, `perf inject --jit`, `perf annotate`
//   ESPY_GDB_JIT=1     gdb's and lldb's JIT interface: backtraces and breakpoints by name
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace espy::vm {

/// A debugger is told when this goes, and with it the code.
class Announcement {
 public:
  Announcement();
  Announcement(Announcement&&) noexcept;
  Announcement& operator=(Announcement&&) noexcept;
  ~Announcement();

 private:
  friend Announcement announce(std::span<const std::uint8_t> code, std::string_view name);
  struct Entry;
  std::unique_ptr<Entry> entry_;
};

/// Code, where it lies, as `bpf:NAME`.
Announcement announce(std::span<const std::uint8_t> code, std::string_view name);

}  // namespace espy::vm
