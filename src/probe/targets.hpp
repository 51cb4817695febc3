// What follows a probe's kind, read: a function for each form of target. The table of kinds (parse.cpp) says which kind is
// read by which.
#pragma once

#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "probe/probe.hpp"

namespace espy::probe::targets {

/// What a function is asked to read.
struct Ask {
  std::string_view kind;     ///< as the row spells it
  std::string_view target;   ///< what follows the kind; may be empty
  std::string_view example;
  const object::ProgramSpec& program;
  const ProbeOptions& options;
};
using Parser = Result<Probe> (*)(const Ask&);

/// The error of a target that is missing or makes no sense, with the row's example as its hint.
std::unexpected<Error> needs(const Ask& ask, std::string_view what);

/// The first and second part of "A:B" or "A/B"; an empty second part if there is no separator.
inline std::pair<std::string_view, std::string_view> cut(std::string_view text, std::string_view separators = ":/") {
  std::size_t at = text.find_first_of(separators);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

// Kernel and user-space events: tracing_targets.cpp.
Result<Probe> tracepoint(const Ask& ask);
Result<Probe> raw_tracepoint(const Ask& ask);
Result<Probe> kprobe(const Ask& ask);
Result<Probe> kprobe_multi(const Ask& ask);
Result<Probe> ksyscall(const Ask& ask);
Result<Probe> trampoline(const Ask& ask);
Result<Probe> freplace(const Ask& ask);
Result<Probe> uprobe(const Ask& ask);
Result<Probe> uprobe_multi(const Ask& ask);
Result<Probe> usdt(const Ask& ask);
Result<Probe> perf_event(const Ask& ask);
Result<Probe> watchpoint(const Ask& ask);

// Networks, cgroups, iterators, struct_ops: network_targets.cpp.
Result<Probe> xdp(const Ask& ask);
Result<Probe> tc(const Ask& ask);
Result<Probe> netkit(const Ask& ask);
Result<Probe> cgroup(const Ask& ask);
Result<Probe> sockmap(const Ask& ask);
Result<Probe> net_namespace(const Ask& ask);
Result<Probe> netfilter(const Ask& ask);
Result<Probe> socket_filter(const Ask& ask);
Result<Probe> reuseport(const Ask& ask);
Result<Probe> iterator(const Ask& ask);
Result<Probe> struct_ops(const Ask& ask);

}  // namespace espy::probe::targets
