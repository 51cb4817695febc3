// lower: a checked script becomes an eBPF object and the plan of its run time.
//
//   Checked ─► IR module (one function a program, more for loops and subprograms) ─► passes ─► eBPF ─► ObjectSpec + Plan
//
// Nothing here asks the running kernel: what it can do comes in as Abilities, so any kernel can be compiled for anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "btf/btf.hpp"
#include "facts/types.hpp"
#include "ir/ir.hpp"
#include "trace/checked.hpp"
#include "trace/imported.hpp"
#include "trace/plan.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

/// What the kernel that a script is compiled for can do. The defaults are what every kernel in use has.
struct Abilities {
  unsigned isa = 2;                   ///< instruction set version, 1 to 4
  bool ring_buffer = false;           ///< 5.8; else records go through a perf event array
  bool probe_read_split = false;      ///< 5.5: bpf_probe_read_kernel and _user; else one bpf_probe_read
  bool atomics = false;               ///< 5.12: atomic operations that give the old value
  bool bounded_loops = false;         ///< 5.3
  bool bpf_loop = false;              ///< 5.17
  bool for_each_map_elem = false;     ///< 5.13
  bool lookup_percpu = false;         ///< 5.19: bpf_map_lookup_percpu_elem
  bool global_data = false;           ///< 5.2: addresses of array maps' values in instructions
  bool task_btf = false;              ///< 5.11: bpf_get_current_task_btf
  bool attach_cookie = false;         ///< 5.15
  bool ns_pid = false;                ///< 5.7: bpf_get_ns_current_pid_tgid
  bool boot_time = false;             ///< 5.8: bpf_ktime_get_boot_ns
  bool tai_time = false;              ///< 6.1
  bool lazy_hash = false;             ///< 6.1: BPF_F_NO_PREALLOC is safe in every program
  bool uninit_stack = false;          ///< 6.3: helpers may be given stack of which not every byte was written
  bool snprintf = false;              ///< 5.13
  bool func_info = true;              ///< 5.0: function and line information
};

/// All that a kernel of this version has, as released.
Abilities abilities_of_version(facts::KernelVersion version);

/// A PID namespace that is not the initial one: what `pid` and `tid` count in.
struct PidNamespaceId { std::uint64_t device = 0, inode = 0; };

struct LowerOptions {
  Abilities abilities = {};
  /// The kernel's types: where members of task_struct lie. Null: what needs them is an error.
  /// Opened when it is first needed.
  std::function<std::shared_ptr<const btf::Btf>()> vmlinux = {};
  unsigned cpus = 1;                              ///< possible CPUs
  std::uint64_t start_ns = 0;                     ///< boot time clock when tracing began: `elapsed` counts from it
  std::uint64_t tai_offset_ns = 0;                ///< atomic time less the boot time clock: nsecs(sw_tai)
  std::optional<std::uint32_t> child_pid = {};    ///< of -c
  std::optional<std::uint32_t> only_pid = {};     ///< -p: events of other processes are passed over, where attaching does not see to it
  std::optional<PidNamespaceId> pid_namespace = {};
  bool report_errors = false;                     ///< -k: failures of helpers are sent as records
  std::uint32_t ring_bytes = 1 << 20;             ///< of the ring of records; a power of two
  const Sources* sources = nullptr;               ///< for line information; null: none
  const Imported* imported = nullptr;             ///< objects to be joined; null: none
  bool optimise = true;
  /// Sees the module before passes ("ir") and after ("optimised").
  std::function<void(std::string_view stage, const ir::Module&)> watch = {};
};

/// Compiles. What the kernel cannot serve, or what does not fit it, is in `diagnostics` with its place, and then this fails.
Result<Compiled> lower(const Checked& checked, const LowerOptions& options, Diagnostics& diagnostics);

}  // namespace espy::trace
