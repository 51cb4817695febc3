// perf_event_open(2), as tracepoints, kernel and user probes and perf events use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/attach/families.hpp"

namespace espy::kernel::attaching {

struct EventRequest {
  std::uint32_t type = 0;
  std::uint64_t config = 0, config1 = 0, config2 = 0;
  std::uint64_t period = 0, frequency = 0;
  std::uint32_t breakpoint = 0;   ///< of type breakpoint: HW_BREAKPOINT_* bits; config1 is the address, config2 the length
  int pid = -1, cpu = 0;
};
/// An enabled event; empty with errno set.
UniqueFd open_event(const EventRequest& request);

/// A dynamic source of events (/sys/bus/event_source/devices/NAME): its type and where its fields stand in config.
struct EventSource {
  std::uint32_t type = 0;
  std::uint64_t return_bit = 0;                  ///< config bit that makes a return probe
  std::optional<unsigned> ref_ctr_shift;         ///< uprobe, 4.20: where config holds the semaphore's offset
};
/// nullopt: the kernel does not have it.
std::optional<EventSource> event_source(const std::string& name);

/// What perf events need of the process.
inline constexpr CapabilitySet kTracing{Capability::perfmon, Capability::bpf};

}  // namespace espy::kernel::attaching
