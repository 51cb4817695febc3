// Functions of the language, one row each, those that only a map takes (`@x = count()`) included. The checker, completion and
// docs/language.md read these rows; lowering switches over FunctionId.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "facts/types.hpp"
#include "trace/availability.hpp"

namespace espy::trace {

enum class FunctionId : std::uint8_t {
  // done in user space, from a record
  printf, print, errorf, warnf, time, cat, system, join, exit, clear, zero, unwatch, skboutput,
  // values that user space formats
  strftime, ksym, usym, cgroup_path, strerror, signal_name, syscall_name,
  // in the kernel
  str, buf, kptr, uptr, path, str_concat, strlen, strcap, strncmp, strcontains, strstr, memcmp, globmatch, len, has_key,
  delete_, find, percpu_kaddr, reg, ntop, macaddr, bswap, signal, signal_thread, override, write_user, socket_cookie,
  // while compiling
  kaddr, uaddr, pton, cgroupid, default_str_length, is_literal, is_ptr, is_str, is_array, is_integer, is_unsigned_integer,
  is_err, container_of, assert, assert_str, fail, static_assert_, config, getopt, kfunc_exist, kfunc_allowed,
  // what maps take
  count, sum, avg, min, max, stats, hist, lhist, tseries,
};

enum class FunctionKind : std::uint8_t {
  asynchronous,  ///< sends a record; user space acts on it
  formatted,     ///< gives a value that user space turns to text when it is printed
  kernel,        ///< code in the program
  compile_time,  ///< gone when the script is compiled, or a few statements in its place
  map_value,     ///< only as `@x = f()`
};

/// Any number of arguments.
inline constexpr std::uint8_t kAnyNumber = 255;

struct Function {
  FunctionId id{};
  std::string_view name{};
  std::string_view aliases{};    ///< separated by spaces; may be empty
  std::string_view signature{};  ///< "void printf(const string format, args...)"; several: separated by "; "
  std::uint8_t least = 0, most = 0;  ///< arguments
  FunctionKind kind{};
  bool is_unsafe = false;        ///< needs --unsafe
  Where where = Where::anywhere;
  std::string_view helper{};     ///< the kernel function that it needs; its first kernel is in facts::helpers()
  facts::KernelVersion since{};  ///< where it is not the helper's
  std::string_view needs{};      ///< what else must be there; may be empty
  std::string_view help{};       ///< one line
  std::string_view example{};
  Status status = Status::works;
};

std::span<const Function> functions();           ///< row i is function i
const Function& row_of(FunctionId id);
/// By name or alias, also with `__builtin_` in front; nullptr if there is none.
const Function* find_function(std::string_view name);
/// The nearest name of a function or builtin to suggest; empty if none is near.
std::string_view nearest_function(std::string_view name);
/// The first kernel that serves it; zeros: all that run eBPF.
facts::KernelVersion since(const Function& function);

std::string_view to_string(FunctionKind kind);

}  // namespace espy::trace
