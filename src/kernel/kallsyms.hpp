// /proc/kallsyms: the addresses of the kernel's symbols.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace espy::kernel {

/// Finds one symbol in the text of /proc/kallsyms; nullopt: it is not there. A symbol with two addresses is an error, and
/// so is an address of zero, which is what a process without CAP_SYSLOG is shown.
Result<std::optional<std::uint64_t>> find_symbol(std::string_view kallsyms, std::string_view symbol);

}  // namespace espy::kernel
