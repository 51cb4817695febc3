// Planning: which eBPF programs serve the targets of a probe block, so that the cheapest way is taken that means the same.
//
//   tracepoint:syscalls:sys_enter_*   one program on raw tracepoint sys_enter, which switches on the system call's number
//   other tracepoints                 a BTF or raw tracepoint where the body's arguments can be had from it exactly
//   uprobe:BIN:f*, kprobe:f*, usdt    one program on one multi-link, told apart by cookie
//   anything else                     one program a target, or one for all where the body does not care and cookies exist
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "facts/types.hpp"
#include "probe/probe.hpp"
#include "trace/probes/arguments.hpp"
#include "trace/probes/target.hpp"

namespace espy::trace::probes {

/// What a probe's predicate and body ask for.
struct Needs {
  std::vector<std::string> fields;   ///< args.NAME
  bool whole_args = false;           ///< `args` itself, or ctx
  bool numbered = false;             ///< argN, retval, reg()
  bool interrupted = false;          ///< what the probe interrupts: ctx, reg(), stacks, usermode
  bool kernel_functions = false;     ///< it may call functions of the kernel, which not all types of program may
  bool probe = false;                ///< which target it is: `probe`, `func`, or anything that is kept apart by target
};

/// What the kernel offers that planning depends on.
struct Abilities {
  bool raw_tracepoints = true;       ///< 4.17
  bool tp_btf = false;               ///< 5.5
  bool raw_cookies = false;          ///< of raw tracepoints, 6.10
  bool event_cookies = false;        ///< of perf events: tracepoints, kprobes, uprobes; 5.15
  bool kprobe_multi = false;         ///< 5.18
  bool uprobe_multi = false;         ///< 6.6
};
Abilities abilities_of(Machine& machine);
/// Asks only for what planning these targets depends on; the rest is false. Each question costs a fraction of a millisecond.
Abilities abilities_for(Machine& machine, std::span<const Target> targets);

/// Plans as if the kernel had not this: "kprobe_multi", "uprobe_multi", "tp_btf". False: there is no such ability; that of
/// "kprobe_session" and "uprobe_session" is not asked here (sessions.hpp).
bool take_away(Abilities& abilities, std::string_view name);
/// Can one program serve entry and return of functions of programs (`user`), or of the kernel?
bool has_sessions(Machine& machine, bool user);

/// How a program knows which of its targets fired.
enum class Which : std::uint8_t {
  first,    ///< there is one, or nobody asks
  cookie,   ///< bpf_get_attach_cookie() is the target's index
  syscall,  ///< `syscalls` gives the index by the call's number, Instance::number; other numbers are not traced
};

struct SyscallCase {
  std::uint32_t number = 0;          ///< as the kernel counts on this architecture
  std::uint32_t target = 0;          ///< index into Instance::targets
};

/// A 32-bit call has numbers of its own and is not traced by these probes (the kernel does the same): the program ends if
/// *(u32 *)((char *)current_task + offset) & mask. Nothing to test where the kernel runs no 32-bit programs.
struct CompatTest { std::uint32_t offset = 0, mask = 0; };

/// One thing to attach the instance's program to.
struct Attachment {
  probe::Probe probe;
  std::uint64_t cookie = 0;          ///< of a multi-link, its places have their own
};

/// One eBPF program.
struct Instance {
  facts::ProgType prog_type{};
  std::optional<facts::AttachType> attach_type = {};
  std::string attach_target = {};    ///< ProgramSpec::attach_target
  std::vector<Target> targets;       ///< at least one
  Which which = Which::first;
  std::vector<SyscallCase> syscalls = {};   ///< Which::syscall: sorted by number
  Source number = InContext{8};      ///< Which::syscall: where the call's number is
  std::uint32_t number_size = 8;     ///< its bytes
  std::optional<CompatTest> compat = {};
  /// Frames on top of a kernel stack that belong to how the program is called, not to what is traced: for the skip field of
  /// bpf_get_stackid's flags. (A frame `__bpf_trace_…` may follow, where the kernel does not leave it out.)
  std::uint32_t stack_skip = 0;
  /// The kernel's stack is the same each time, for as long as the kernel runs: one way leads from user space to where 64-bit
  /// system calls are announced, and 32-bit ones are tested away.
  bool one_kernel_stack = false;
  ArgumentSet arguments = {};        ///< all fields the body needs are in it; empty where it needs none
  std::vector<Attachment> attachments = {};   ///< none: run by test_run (begin, end, self, test, bench)
};

/// The programs for one probe block's targets. In order of the targets, as far as they are not joined.
Result<std::vector<Instance>> group(Machine& machine, std::vector<Target> targets, const Needs& needs, const Abilities& abilities);

}  // namespace espy::trace::probes
