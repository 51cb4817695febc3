// explain: what a script's probes become, and about what an event of each costs the traced, before anything runs.
#pragma once

#include <string>

#include "trace/plan.hpp"

namespace espy::trace {

/// A table: a row for each eBPF program, with how it is attached, its size, and what an event costs. The costs of being called
/// were measured on one machine (docs/performance.md) and are there to compare; what the program itself does comes on top.
std::string explain(const Compiled& compiled);

}  // namespace espy::trace
