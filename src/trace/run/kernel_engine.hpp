// The kernel as the engine of a script: loads its object, attaches, fires by BPF_PROG_TEST_RUN, drains its ring.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kernel/object.hpp"
#include "trace/run/engine.hpp"

namespace espy::trace::run {

struct KernelOptions {
  std::size_t perf_pages = 0;     ///< perf buffer (before 5.8): pages for each CPU; 0: 64
  /// Gets the verifier's log of each program, rejected ones too.
  std::function<void(const std::string& program, std::string_view log)> log = {};
  std::uint32_t log_level = 0;
};

/// Links the object for this kernel and loads it. A rejected program's error names the script's line; missing privileges
/// name the capability.
Result<std::unique_ptr<Engine>> load_into_kernel(object::ObjectSpec object, const Plan& plan, const KernelOptions& options = {});

}  // namespace espy::trace::run
