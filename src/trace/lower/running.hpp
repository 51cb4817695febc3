// The running kernel as what scripts are compiled for.
#pragma once

#include "trace/lower/lower.hpp"

namespace espy::trace {

/// What the running kernel can do, asked of it once.
Abilities running_abilities();

/// For the running kernel: its abilities, types, CPUs, clock, and the PID namespace that this process is in.
Result<LowerOptions> running_options();

/// For the user engine of this process.
LowerOptions user_engine_options();

/// Takes one ability away, by its name ("ring_buffer", "bpf_loop"): to see what a script becomes on older kernels.
Result<void> without_feature(Abilities& abilities, std::string_view name);

}  // namespace espy::trace
