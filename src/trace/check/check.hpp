// The checker: settles what every name means and what type every value has.
//
// Probes become instances (one eBPF program each), and each instance gets a copy of its block, because arguments differ in type
// from probe to probe. Variables and maps have one type each, which all their uses agree on, wherever they are; so types are
// inferred over all bodies again and again until nothing changes (types only ever grow: integers widen, strings lengthen),
// and then checked once more, with all diagnostics, conversions inserted and constants folded.
//
//   Expanded expanded = expand(parse(…), …);             // macros, imports, parameters and options are gone
//   c::CTypes types = c::parse(expanded.script.preambles, …);
//   CheckOptions options{.environment = getenv, .machine = &machine, .c_types = types, .resolve_probes = resolver(machine, {.pid = pid})};
//   std::optional<Checked> checked = check(std::move(expanded.script), options, diagnostics);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "btf/btf.hpp"
#include "facts/types.hpp"
#include "trace/c/types.hpp"
#include "trace/checked.hpp"
#include "trace/imported.hpp"
#include "trace/probes/machine.hpp"
#include "trace/probes/plan.hpp"
#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

/// A symbol of a program or library.
struct UserSymbol {
  std::uint64_t address = 0, size = 0;          ///< as linked
  /// How far it is from the probed instruction, for files that are loaded anywhere (libraries, position-independent programs).
  std::optional<std::int64_t> distance = {};
};

/// The programs for the attach points of one block, in order. What is wrong goes to the diagnostics.
using ProbeResolver =
    std::function<std::vector<probes::Instance>(const Probe& probe, const probes::Needs& needs, const Config& config, Diagnostics& diagnostics)>;

struct CheckOptions {
  Config config = {};                     ///< where the script's `config` block starts from
  Environment environment = {};           ///< taken over the block; null: none
  probes::Machine* machine = nullptr;             ///< types of the kernel, read when first needed; null: there are none
  c::CTypes c_types = {};                 ///< of the preamble; without any, its `btf` is null
  ProbeResolver resolve_probes = {};      ///< resolver(machine, …), or a test's
  /// All arguments that a target has, to suggest one of them where a name is wrong; null: only what the instance has.
  std::function<Result<probes::ArgumentSet>(const probes::Target&)> all_arguments = {};
  std::optional<facts::KernelVersion> kernel = {};  ///< what is traced; nullopt: any, nothing is too old
  const Imported* imported = nullptr;     ///< functions of imported objects; null: none
  bool allow_unsafe = false;              ///< --unsafe
  std::optional<std::uint32_t> child = {};          ///< pid of the command of -c
  /// Address of a symbol of the kernel; null: not known here, and kaddr() is refused.
  std::function<Result<std::optional<std::uint64_t>>(std::string_view)> kernel_symbol = {};
  /// A symbol of the file that the probes of a block are in, for uaddr(); null: not looked up while checking.
  std::function<Result<UserSymbol>(std::span<const probes::Target> targets, std::string_view name)> user_symbol = {};
  /// Inode number of a cgroup's directory; null: asks the file system.
  std::function<Result<std::uint64_t>(const std::string&)> cgroup_id = {};
};

/// Checks a script. nullopt: something was wrong and `diagnostics` says what, all of it. Warnings may come with a value.
std::optional<Checked> check(Script script, const CheckOptions& options, Diagnostics& diagnostics);

/// Looks attach points up on a machine: parse_attach_point, expand and group for each block.
struct ResolveOptions {
  std::optional<int> pid = {};
  bool must_attach = true;                    ///< a probe that this kernel knows but cannot serve is an error
  bool without_kernel = false;                ///< for the user engine
  std::vector<std::string> without = {};      ///< abilities of probes::take_away
  std::function<bool(std::string_view name)> wanted = {};   ///< which probes, of all that are named; empty: all
};
ProbeResolver resolver(probes::Machine& machine, ResolveOptions options);

}  // namespace espy::trace
