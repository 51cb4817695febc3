// The running kernel's configuration.
#pragma once

#include <string>
#include <unordered_map>

#include "base/error.hpp"

namespace espy::kernel {

using Kconfig = std::unordered_map<std::string, std::string>;  ///< "CONFIG_HZ" → "250"

/// From /boot/config-RELEASE or /proc/config.gz; read once.
Result<const Kconfig*> running_kconfig();

}  // namespace espy::kernel
