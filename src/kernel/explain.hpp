// Why the kernel said no. It answers a number and, for programs, the verifier's log; here both become an error that a
// person can act on. What is missing is looked for only after something failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "object/link.hpp"

namespace espy::kernel {

/// Of BPF_MAP_CREATE.
std::unexpected<Error> explain_map_failure(int error_number, const object::MapSpec& spec);

/// Of BPF_PROG_LOAD: the kernel's reason, the instruction, the source line, what to do. `log` may be empty.
Error explain_program_failure(int error_number, const object::LinkedProgram& program, const object::ObjectSpec& object,
                              const std::vector<object::CoreOutcome>& core, std::string_view log);

}  // namespace espy::kernel
