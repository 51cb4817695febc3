// The running kernel as what scripts are compiled for.
#pragma once

#include "trace/lower/lower.hpp"

namespace espy::trace {

/// What the running kernel can do, asked of it once.
Abilities running_abilities();

/// For the running kernel: its abilities, types, CPUs, clock, and the PID namespace that this process is in.
Result<LowerOptions> running_options();

}  // namespace espy::trace
