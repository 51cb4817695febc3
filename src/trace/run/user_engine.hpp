// The user engine as the engine of a script: no kernel, no privileges. Runs what needs neither: begin, end, interval, self, test
// and bench probes.
#pragma once

#include <memory>

#include "object/spec.hpp"
#include "trace/run/engine.hpp"

namespace espy::trace::run {

/// Loads the object into this process. A probe that only a kernel can fire is an error that names it.
Result<std::unique_ptr<Engine>> load_into_process(object::ObjectSpec object, const Plan& plan);

}  // namespace espy::trace::run
