// Names of numbers that the kernel and the system give: errors, signals, system calls, flags of allocations.
#pragma once

#include <cstdint>
#include <string>

namespace espy::trace::run {

/// "No such file or directory" of 2 or -2.
void append_error_name(std::int64_t number, std::string& out);
/// "SIGKILL" of 9; real-time signals are "SIGRTMIN+3". An unknown one is its number.
void append_signal_name(std::int64_t number, std::string& out);
/// "openat"; an unknown one is its number.
void append_syscall_name(std::int64_t number, std::string& out);
/// "GFP_KERNEL|__GFP_ZERO", as the kernel's own traces spell gfp_t; bits without a name are in hexadecimal.
void append_gfp_flags(std::uint64_t flags, std::string& out);

}  // namespace espy::trace::run
