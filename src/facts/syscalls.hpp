// System calls by number, for the machine this runs on and for others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace espy::facts {

enum class Architecture : std::uint8_t { x86_64, arm64 };

/// The one this is compiled for.
constexpr Architecture this_architecture() {
#if defined(__aarch64__)
  return Architecture::arm64;
#else
  return Architecture::x86_64;
#endif
}

struct SyscallRow {
  std::uint32_t number = 0;
  std::string_view name{};   ///< "openat"
};

/// All system calls of an architecture (up to Linux 6.18), by number. Numbers have gaps.
std::span<const SyscallRow> syscalls(Architecture architecture = this_architecture());
/// Empty: no such number.
std::string_view syscall_name(std::int64_t number, Architecture architecture = this_architecture());
/// "openat", without "sys_".
std::optional<std::uint32_t> syscall_number(std::string_view name, Architecture architecture = this_architecture());

}  // namespace espy::facts
