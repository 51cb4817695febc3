// tracefs: where the kernel lists its events, and takes orders for older kinds of probes.
//
// It need not be mounted. A file system that is not there is opened as a mount that belongs to no namespace (fsopen and
// fsmount, 5.2), or in a private mount namespace of a thread that ends at once: nobody else sees it, and it goes with its
// descriptor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace espy::probe {

/// The root of a kernel file system ("tracefs", "bpf", "securityfs"): the first of `mounted_at` where one of this type is mounted, else a
/// private mount. The descriptor serves openat(2), and bpf(2) by way of /proc/self/fd/N.
Result<UniqueFd> open_filesystem(const std::string& type, const std::vector<std::string>& mounted_at);

class Tracefs {
 public:
  static Result<Tracefs> open();

  /// A file below its root, as text: read("events/sched/sched_switch/id").
  Result<std::string> read(const std::string& path) const;
  /// Appends one line, as kprobe_events takes its orders.
  Result<void> append(const std::string& path, std::string_view line) const;
  /// Names in a folder, sorted.
  Result<std::vector<std::string>> list(const std::string& folder) const;

 private:
  explicit Tracefs(UniqueFd root) : root_(std::move(root)) {}
  UniqueFd root_;
};

struct TracepointName {
  std::string category, name;
};

/// All tracepoints that are events ("events/CATEGORY/NAME"), by category and name.
Result<std::vector<TracepointName>> tracepoints(const Tracefs& tracefs);

/// The number perf_event_open(2) knows a tracepoint by. A name that is not there gets the nearest ones as its hint.
Result<std::uint64_t> tracepoint_id(const Tracefs& tracefs, const std::string& category, const std::string& name);

/// Tracepoints that tell of what this kernel function does, best first: for where functions cannot be probed.
/// "vfs_read" → syscalls:sys_enter_read, ….
std::vector<std::string> tracepoints_instead_of(const Tracefs& tracefs, std::string_view function);

}  // namespace espy::probe
