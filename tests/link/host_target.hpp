// The running kernel as a Target, read from /proc and /sys: what a test links against.
#pragma once

#include "object/target.hpp"

namespace espy::test {

/// Fails where the kernel has no BTF.
Result<object::Target> host_target();

}  // namespace espy::test
