// Runs a module on the kernel and in the interpreter, on the same input.
//
// A program under test has no arguments worth naming (a socket filter's context); it reads its input from the value of the
// map `io`, and leaves its results there. The map's value is kIoBytes long.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ir/bpf/emit.hpp"

namespace espy::ir::bpf {

inline constexpr std::size_t kIoBytes = 1024;
using Io = std::array<std::byte, kIoBytes>;

struct Outcome {
  std::uint32_t retval = 0;
  Io io{};
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Loads the module's program `main` (and what it calls) and runs it once. `verifier_log` in the error's notes.
Result<Outcome> run_on_kernel(const Module& module, const Options& options, const Io& input);
/// The same with code that is there already.
Result<Outcome> run_on_kernel(const Module& module, std::span<const Code> code, const Io& input);
/// The interpreter's result. It knows the helpers ktime_get_ns (5, gives 0) and loop (181).
Result<Outcome> run_interpreted(const Module& module, const Io& input);

/// The text of all functions' code.
std::string listing(std::span<const Code> code);

/// Whether this process may load programs at all.
bool may_load();


/// What the running kernel takes, tried once.
bool takes_level(unsigned isa);
bool takes_fetching_atomics();   ///< Linux 5.12
bool takes_callbacks();          ///< bpf_loop: Linux 5.17

}  // namespace espy::ir::bpf
