// Programs and libraries by name: "bash" as the shell finds it, "libc.so.6" as the dynamic linker does, or as one process
// sees them: in its own root (a container's), its own libraries.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"

namespace espy::symbol {

/// The path, as this process can open it ("/proc/PID/root/…" for another's). A name with a slash is a path already.
Result<std::string> find_file(const std::string& name, std::optional<int> pid = {});

}  // namespace espy::symbol
