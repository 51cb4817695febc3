// Listing: which probes there are on this machine, with their arguments; and the kernel's types.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "trace/probes/machine.hpp"

namespace espy::trace::probes {

struct ListRow {
  std::string name;                    ///< "tracepoint:sched:sched_switch"; of a type, "struct task_struct"
  std::vector<std::string> details;    ///< with ListOptions::verbose: "int fd"; of a type, the lines of its definition
};

struct ListOptions {
  bool verbose = false;                ///< arguments and types too
  std::optional<int> pid = {};         ///< functions and USDT probes of what this process runs, where the search names no file
};

/// What matches a search: "tracepoint:sched:*", "*sleep*" (of any kind), "uprobe:/bin/bash" (all of its functions),
/// "struct task_struct", "enum pid_type"; several with commas; empty: all probes of the kernel. Sorted by name. Nothing is an error that suggests a
/// name that is near.
Result<std::vector<ListRow>> list(Machine& machine, std::string_view search, const ListOptions& options = {});

/// One row as -l and -lv print it, a newline behind each line:
///   tracepoint:syscalls:sys_enter_close
///       int __syscall_nr
///       unsigned int fd
std::string text(const ListRow& row);

}  // namespace espy::trace::probes
