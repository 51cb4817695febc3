// Finding a cgroup by what a person calls it.
#pragma once

#include <string>

#include "base/fd.hpp"

namespace espy::kernel::attaching {

/// Where the cgroup2 file system is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1 hierarchies.
Result<std::string> cgroup2_mount();

/// Opens a cgroup (of version 2, the only one with programs): a path, or one below the cgroup2 mount ("system.slice",
/// "/user.slice"). The error tells a version 1 hierarchy from a path that is not there.
Result<UniqueFd> open_cgroup(const std::string& path);

}  // namespace espy::kernel::attaching
