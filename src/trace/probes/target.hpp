// Target: one place where a script's probe runs, found on this machine: what it is called, what attaches there, which kind of
// eBPF program that is, and what it can read of its arguments.
//
//   parse_attach_point("tracepoint:sched:sched_*")  →  AttachPoint  →  expand  →  a Target for each event that matches
//
// Looking up is cheap on purpose: a target says only where its arguments are described; their types are read (format file,
// BTF, debug information) when a probe's body asks for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "btf/btf.hpp"
#include "facts/types.hpp"
#include "probe/probe.hpp"
#include "symbol/usdt.hpp"
#include "trace/config.hpp"
#include "trace/probes/attach_point.hpp"
#include "trace/probes/machine.hpp"

namespace espy::trace::probes {

// ---- where arguments are described ----

struct NoArguments {};
/// The fields of a perf tracepoint's record: record_of.
struct RecordArguments { std::string category, event; };
/// Parameters that BTF describes, in the program's context one after the other, 8 bytes each: parameters_of.
struct ParameterArguments {
  enum class Of : std::uint8_t { raw_tracepoint, function, program } of{};
  std::string module;             ///< "vmlinux", or a module's name
  std::string name;               ///< the event's or function's
  std::uint32_t program_id = 0;   ///< of an eBPF program
};
/// Registers by the calling convention. `path` is the program's or library's file; empty: the kernel.
struct RegisterArguments { std::string path, function; bool at_return = false; };
/// As a USDT note says; `error` tells why it could not be read.
struct UsdtArguments { std::vector<symbol::UsdtArgument> arguments; std::string error; };
/// An iterator's context: struct bpf_iter__NAME.
struct ContextArguments { std::string module, struct_name; };

using Arguments = std::variant<NoArguments, RecordArguments, ParameterArguments, RegisterArguments, UsdtArguments, ContextArguments>;

struct Target {
  Provider provider{};
  std::string name;                               ///< what `probe` gives: "tracepoint:sched:sched_switch"
  std::string function = {};                      ///< what `func` gives; empty: nothing
  probe::Probe probe = probe::Nothing{};          ///< what attaches there; Nothing: run by test_run
  facts::ProgType prog_type{};
  std::optional<facts::AttachType> attach_type = {};   ///< for BPF_PROG_LOAD
  std::string attach_target = {};                 ///< ProgramSpec::attach_target, of types that settle it at load
  std::string pin = {};                           ///< iter: where its link is pinned (a path, or a name below /sys/fs/bpf)
  Arguments arguments = {};
};

// ---- from attach point to targets ----

struct ExpandOptions {
  std::optional<int> pid = {};              ///< -p, or the child of -c
  std::size_t max_probes = 1024;
  bool interrupted = false;                 ///< the script looks at what its probes interrupt
  /// Refuse what this kernel cannot attach. Off for compiling only (--dry-run, -d, --emit-elf).
  bool must_attach = true;
  MissingProbes missing = MissingProbes::error;   ///< of a probe that is not there on this machine
  bool without_kernel = false;              ///< for the user engine: only what the tracer fires itself is served
  bool listing = false;                     ///< only names are asked for: they must be there, though nothing attaches
  /// Which targets are wanted, by name; empty: all. Begin and end always are.
  std::function<bool(std::string_view name)> wanted = {};
};

struct Expansion {
  std::vector<Target> targets;              ///< none: it is missing, which `missing` allowed
  std::vector<Error> warnings;
};

/// All that an attach point means here. What is not there is an error that names what is near; what this kernel cannot serve
/// one that says why and what serves instead.
Result<Expansion> expand(Machine& machine, const AttachPoint& point, const ExpandOptions& options);

}  // namespace espy::trace::probes
