// What a word of the language asks of the probe it stands in, and how far Espy serves it: shared by the tables of builtins
// and functions. Which providers offer what is said once, in the providers' rows; here is only what is asked for.
#pragma once

#include <cstdint>
#include <string_view>

namespace espy::trace {

/// What a probe must offer for a builtin or function to mean something there.
enum class Where : std::uint8_t {
  anywhere,
  parameters,   ///< numbered parameters: argN
  fields,       ///< parameters with names: args
  result,       ///< what the probed function returns: retval
  context,      ///< the context as a structure: ctx
  function,     ///< a function that is probed: func
  registers,    ///< the registers of what was interrupted: reg("ip")
  user_code,    ///< a program or library that is probed: uaddr("x")
  kprobe,       ///< the entry of a kernel function, by kprobe
  trampoline,   ///< fentry, fexit
  tracing,      ///< fentry, fexit or an iterator, whose pointers the kernel knows by type
  watchpoint,
};

/// How far a row is served.
enum class Status : std::uint8_t {
  works,
  limited,      ///< the row's `needs` says by what
  experimental, ///< works, and may change: a warning says so unless the configuration allows it
};

constexpr std::string_view to_string(Status status) {
  switch (status) {
    case Status::works: return "works";
    case Status::limited: return "limited";
    case Status::experimental: return "experimental";
  }
  return {};
}

}  // namespace espy::trace
