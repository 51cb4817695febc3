// Probes without a machine: for every provider an instance with arguments made up here, so that cases mean the same everywhere.
#pragma once

#include "trace/check/check.hpp"

namespace espy::trace {

/// tracepoint: args.{n: int32, name: char[16], p: const char *, data: a string as long as it is, flag: _Bool, color: enum};
/// kprobe, uprobe: arg0 … arg5; usdt: arg0, arg1; rawtracepoint, fentry: arg0 and args.node, a struct made_up *;
/// fexit also retval; kretprobe, uretprobe: retval; iter: ctx of struct made_up_context.
std::vector<probes::Instance> made_up_instances(const Probe& probe, const probes::Needs& needs, const Config& config, Diagnostics& diagnostics);

/// C definitions and constants as a preamble would give: struct made_up, union, enum, bit-fields; LIMIT 12, NAME "espy".
c::CTypes made_up_types();

}  // namespace espy::trace
