// Capabilities: what this process may do, what an operation needs, and giving up the rest.
//
// The kernel asks for CAP_BPF to make maps and load programs, for CAP_PERFMON besides when they trace, for CAP_NET_ADMIN
// besides when they handle packets (5.8; before that, and for a few operations still, for CAP_SYS_ADMIN, which includes
// them all).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "facts/types.hpp"
#include "object/link.hpp"

namespace espy::kernel {

/// The capabilities that eBPF has to do with, by the kernel's numbers.
enum class Capability : std::uint8_t {
  dac_override = 1, dac_read_search = 2, setpcap = 8, net_admin = 12, net_raw = 13, sys_admin = 21, sys_resource = 24, syslog = 34,
  perfmon = 38, bpf = 39,
};
std::string_view to_string(Capability capability);  ///< "CAP_BPF"

/// A set of capabilities.
class CapabilitySet {
 public:
  CapabilitySet() = default;
  constexpr CapabilitySet(std::initializer_list<Capability> capabilities) {
    for (Capability capability : capabilities) bits_ |= bit(capability);
  }
  constexpr explicit CapabilitySet(std::uint64_t bits) : bits_(bits) {}
  constexpr bool has(Capability capability) const { return (bits_ & bit(capability)) != 0; }
  constexpr std::uint64_t bits() const { return bits_; }
  friend constexpr CapabilitySet operator|(CapabilitySet a, CapabilitySet b) { return CapabilitySet(a.bits_ | b.bits_); }
  friend constexpr CapabilitySet operator&(CapabilitySet a, CapabilitySet b) { return CapabilitySet(a.bits_ & b.bits_); }
  friend constexpr bool operator==(CapabilitySet, CapabilitySet) = default;

 private:
  static constexpr std::uint64_t bit(Capability capability) { return std::uint64_t{1} << static_cast<unsigned>(capability); }
  std::uint64_t bits_ = 0;
};

/// What this thread may do now (its effective set).
Result<CapabilitySet> effective_capabilities();

/// Gives up, for good, every capability that is not in `keep`, in this process' permitted, effective, inheritable and
/// ambient sets. Threads started before keep theirs: call it before there are any.
Result<void> keep_capabilities(CapabilitySet keep);

/// What loading a program of this type asks for.
CapabilitySet needed_to_load(facts::ProgType type);
/// What creating a map of this type asks for.
CapabilitySet needed_to_create(facts::MapType type);

/// What loading all of an object, attaching its programs and reading its maps asks for: CAP_BPF and CAP_PERFMON, and
/// where its programs want more (packets, modules), that. Before 5.8 it is CAP_SYS_ADMIN. Mounting, opening files of others and
/// enabling run-time statistics are not in it: do these first, then `keep_capabilities(needed_to_run(linked))`.
CapabilitySet needed_to_run(const object::LinkedObject& linked);

/// What reading maps and records of loaded programs asks for, and closing what they are attached by.
CapabilitySet needed_to_read();

/// The capabilities of `needed` that this process lacks, as the running kernel counts them (CAP_SYS_ADMIN stands for all;
/// before 5.8 there is nothing but it).
std::vector<Capability> missing(CapabilitySet needed);

/// Fills an error of a refused operation with what is missing and what to do about it; leaves it alone if nothing is.
void explain_permission(Error& error, CapabilitySet needed);

}  // namespace espy::kernel
