// Which kernel runs here.
#pragma once

#include <string_view>

#include "facts/types.hpp"

namespace espy::kernel {

/// The version whose features this kernel has. Debian and Ubuntu do not tell it in uname's release ("6.1.0-18-amd64" is
/// 6.1.76), but in uname's version or /proc/version_signature. {} if nothing can be understood.
facts::KernelVersion running_version();

/// The same from what uname and /proc/version_signature (empty: there is none) say.
facts::KernelVersion parse_version(std::string_view release, std::string_view version, std::string_view signature);

}  // namespace espy::kernel
