// Scripts through all stages of the compiler, for tests.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "kernel/object.hpp"
#include "trace/check/check.hpp"
#include "trace/lower/lower.hpp"
#include "trace/lower/running.hpp"

namespace espy::trace {

/// A script, and what came of it. Not movable: the diagnostics name places in `sources`.
struct Trial {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<Compiled> compiled;
  std::string problem;                     ///< why there is nothing compiled: all diagnostics, or the error
  std::string ir, optimised;               ///< the module before and after the passes

  /// Compiles; for the running kernel if nothing else is said.
  explicit Trial(std::string_view text, std::optional<LowerOptions> options = {});
};

/// The instructions of a program and of all functions, as text.
std::string disassembly(const object::ObjectSpec& object);
/// Instructions of all programs and functions.
std::size_t instructions(const object::ObjectSpec& object);

/// Loads what was compiled into the running kernel; the verifier's log stands in the error.
Result<kernel::Object> load(const Compiled& compiled);

/// Runs the begin probe of a loaded script.
Result<void> run_begin(const kernel::Object& object, const Compiled& compiled);

/// The value of an element of a map as a number; per-CPU values are added up. nullopt: there is none.
std::optional<std::int64_t> element(const kernel::Object& object, const Compiled& compiled, std::string_view map, std::uint64_t key = 0);

}  // namespace espy::trace
