// What a test-run left in one engine and in the other: are they alike?
#pragma once

#include <string>
#include <vector>

#include "espy/kernel.hpp"
#include "espy/vm.hpp"

namespace espy::cli {

struct EngineDifferences {
  std::vector<std::string> found = {};       ///< a sentence each
  std::vector<std::string> not_compared = {};   ///< maps that cannot be read without changing them
};

/// Return values, packets and the contents of the maps that have keys. Per-CPU values are compared whatever the CPU.
Result<EngineDifferences> compare_engines(const kernel::Object& kernel_object, const kernel::TestRunResult& kernel_result,
                                          const vm::Object& user_object, const vm::TestRunResult& user_result);

}  // namespace espy::cli
