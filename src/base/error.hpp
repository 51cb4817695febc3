// Errors are values: what failed, where, why, and what to do about it.
//
// Every operation that can fail returns Result<T>. An Error names its kind (so that a program can act on it), carries a
// sentence a user can act on, where it happened, a hint, and the error below it that caused it. Nothing in the library
// prints or exits; `describe` renders an error once, at the edge.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espy {

/// What class of failure this is. One enumerator for each thing a caller may want to do about it.
enum class ErrorKind {
  invalid_argument,  ///< the caller asked for something that makes no sense
  malformed,         ///< bytes from outside (ELF, BTF, text) that do not follow their format
  not_found,         ///< a file, symbol, type, map or program that is not there
  unsupported,       ///< this kernel, or Espy, does not offer it
  permission,        ///< a missing capability, or a lockdown
  rejected,          ///< the kernel's verifier (or another check of the kernel's) said no
  exhausted,         ///< memory, descriptors, map entries, a limit
  exists,            ///< it is already there
  interrupted,       ///< a signal, or the user
  io,                ///< any other failed system call
};

/// The kind's name as it stands in machine output: "not_found".
std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::io;
  std::string message;               ///< one sentence without a full stop: "no map named `events`"
  std::string where = {};            ///< "probe.o: section .maps: offset 0x40"; empty: nothing narrower than the cause
  std::string hint = {};             ///< what to do next; empty: nothing better to say than the message
  int sys = 0;                       ///< errno of the system call that failed; 0: none
  std::vector<std::string> notes = {};           ///< further lines: the kernel's words, the instruction, source line
  std::shared_ptr<const Error> cause = nullptr;  ///< the failure that this one wraps
};

template <typename T>
using Result = std::expected<T, Error>;

/// Makes an error to return: `return fail(ErrorKind::not_found, "no map named `{}`", name);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{.kind = kind, .message = fmt::format(format, std::forward<Args>(args)...)});
}

/// Makes an error from errno (or a negative errno as libbpf returns it), the kind derived from the number:
/// `return fail_sys(errno, "open {}", path);` reads "open /x: No such file or directory".
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail_sys(int error_number, fmt::format_string<Args...> format, Args&&... args);

/// The kind that an errno value usually means.
ErrorKind kind_of_errno(int error_number);

/// The system's text for an errno, thread-safe: "No such file or directory".
std::string errno_text(int error_number);

/// Wraps an error with what was being attempted; the kind stays the cause's.
[[nodiscard]] Error wrap(Error cause, std::string attempted);

/// The whole chain as a person reads it, several lines, no trailing newline:
///   error: load program `xdp_drop`: the kernel's verifier rejects it
///     at probe.o: section xdp: instruction 3
///     note: R1 type=scalar expected=ctx
///     hint: ...
std::string describe(const Error& error);

/// The whole chain on one line, joined by ": ".
std::string one_line(const Error& error);

// ---------------------------------------------------------------------------------------------------------------------

template <typename... Args>
std::unexpected<Error> fail_sys(int error_number, fmt::format_string<Args...> format, Args&&... args) {
  if (error_number < 0) error_number = -error_number;
  return std::unexpected(Error{.kind = kind_of_errno(error_number),
                               .message = fmt::format(format, std::forward<Args>(args)...) + ": " + errno_text(error_number),
                               .sys = error_number});
}

}  // namespace espy

/// Unwraps a Result or returns its error from the enclosing function. The one macro of this tree.
#define TRY(...)                                                                          \
  __extension__({                                                                         \
    auto&& try_result_ = (__VA_ARGS__);                                                   \
    if (!try_result_) [[unlikely]]                                                        \
      return std::unexpected(std::forward<decltype(try_result_)>(try_result_).error());   \
    std::forward<decltype(try_result_)>(try_result_).value();                             \
  })
