// Names: what a value's number stands for, known only outside the script: functions, stacks, users, cgroups, clocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "trace/types.hpp"

namespace espy::trace::run {

/// Appends names to text. Implementations look things up on this machine (machine_names.hpp); a test gives its own.
class Names {
 public:
  virtual ~Names() = default;
  virtual void kernel_symbol(std::uint64_t address, std::string& out) = 0;
  virtual void user_symbol(std::uint64_t address, std::uint32_t pid, std::uint32_t probe, std::string& out) = 0;
  /// A whole stack, lines indented as its mode has them, beginning with a newline. `type` is a kstack or ustack. `caller`: the
  /// second frame, unless it is there; 0: it is.
  virtual void stack(const Type& type, std::int64_t id, std::uint32_t pid, std::uint32_t probe, std::uint64_t caller, std::string& out) = 0;
  virtual void user(std::uint64_t uid, std::string& out) = 0;
  virtual void cgroup(std::uint64_t id, std::uint32_t filter, std::string& out) = 0;
  /// A time of a clock (CLOCK_MONOTONIC, CLOCK_BOOTTIME …), by one of the plan's formats.
  virtual void timestamp(std::uint64_t ns, std::uint32_t clock, std::uint32_t format, std::string& out) = 0;
  /// The wall clock when a clock showed `ns`, in ns since 1970.
  virtual std::int64_t wall_time(std::uint64_t ns, std::uint32_t clock) = 0;
  virtual std::string_view probe(std::uint64_t index) = 0;
  /// What stands behind a string that may have been cut: "..".
  virtual std::string_view trailer() const = 0;
  /// Strings that were read have this room: what fills it, but for its NUL, may have been cut. 0: not known.
  virtual std::uint32_t string_room() const { return 0; }
};

/// Appends a time as strftime(3) does, local time; `%f` is the microseconds, six digits.
void append_time(std::int64_t seconds, std::uint32_t nanoseconds, std::string_view format, std::string& out);

}  // namespace espy::trace::run
