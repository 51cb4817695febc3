// Files as another process sees them. Paths come from processes that may wish us ill: they are resolved inside the
// process' own root (no link leads out of it), and only regular files are opened, so that nothing blocks or has effects.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "symbol/process.hpp"

namespace espy::symbol {

struct OpenedFile {
  UniqueFd fd;
  struct stat status {};
};

/// Opens a path in the root of a process; nullopt: the process or the file is gone, or it is no regular file.
std::optional<OpenedFile> open_in_root(int pid, const std::string& path);

/// Opens the file of a mapping, that very file even if it has been unlinked or replaced since, where the kernel lets us.
std::optional<OpenedFile> open_mapped(int pid, const Mapping& mapping);

/// A file that is open already (perhaps with O_PATH), opened once more to be read.
std::optional<OpenedFile> open_again(const UniqueFd& file);

/// The perf map of a just-in-time compiler, written by the process' user or by root.
std::optional<OpenedFile> open_perf_map(int pid);

/// What tells whether a process id still means the process it meant, and whether that still runs the same program.
struct ProcessIdentity {
  std::uint64_t start_time = 0;                       ///< in clock ticks since boot
  std::uint64_t program_device = 0, program_inode = 0;   ///< of /proc/PID/exe
  friend auto operator<=>(const ProcessIdentity&, const ProcessIdentity&) = default;
};
/// nullopt: there is no such process.
std::optional<ProcessIdentity> process_identity(int pid);

}  // namespace espy::symbol
