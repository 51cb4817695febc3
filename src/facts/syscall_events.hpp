// What the kernel's tracepoints call system calls: syscalls:sys_enter_NAME and sys_exit_NAME have the name of the kernel's
// function, which is not always that of <asm/unistd.h>.
#pragma once

#include <string_view>

#include "facts/syscalls.hpp"

namespace espy::facts {

/// "newstat" → 4 on x86-64; nullopt: no call of the architecture has that function.
std::optional<std::uint32_t> syscall_number_of_event(std::string_view event, Architecture architecture = this_architecture());

}  // namespace espy::facts
