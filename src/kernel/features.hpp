// What this kernel can do, found out by asking it: a feature is a name, a tiny program or map that only works with it, and
// the version that brought it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "facts/types.hpp"

namespace espy::kernel {}  // namespace espy::kernel
