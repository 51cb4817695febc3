// The running kernel's functions by name, and why one cannot be probed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/attach/families.hpp"

namespace espy::kernel::attaching {

/// Has the kernel a function of this name? ("module:function" asks for the function.) An error: /proc/kallsyms tells nothing.
Result<bool> running_function(std::string_view name);

/// All functions whose names match a pattern, sorted, each once.
Result<std::vector<std::string>> functions_like(std::string_view pattern);

/// The entries of the functions that kprobe.multi and fentry can reach (those ftrace knows) and that match.
Result<std::vector<std::uint64_t>> traceable_functions(std::string_view pattern);

/// This kernel has no kprobes: says so, and which tracepoints tell of the same.
Error no_kprobes(const Call& call, std::string_view function);

/// Why a kprobe was refused: unknown or blacklisted functions, offsets inside instructions, missing options.
Error kprobe_failure(int error_number, const Call& call, const Need& need, std::string_view function, std::uint64_t offset);

/// "tracepoints tell of the same: a, b; …", or empty.
std::string tracepoints_hint(std::string_view function);

}  // namespace espy::kernel::attaching
