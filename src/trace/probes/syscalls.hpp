// Tracepoints of system calls, served by the raw tracepoints that all calls pass: rules and reading.
#pragma once

#include <vector>

#include "trace/probes/plan.hpp"

namespace espy::trace::probes {

/// syscalls:sys_enter_NAME or sys_exit_NAME of a call whose number is known.
bool is_syscall(const probe::Tracepoint& place);

struct SyscallPlan {
  std::vector<Instance> instances;
  std::vector<Target> left;       ///< better served by their own tracepoints
};
/// One program on sys_enter (or sys_exit: the targets are all of one kind) for all targets, or, where the body reads fields,
/// one for each different way that they are passed.
Result<SyscallPlan> plan_syscalls(Machine& machine, std::vector<Target> targets, const Needs& needs, const Abilities& abilities);

}  // namespace espy::trace::probes
