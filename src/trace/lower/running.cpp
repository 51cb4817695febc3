#include "trace/lower/running.hpp"

#include <sys/stat.h>
#include <time.h>

#include "facts/tables.hpp"
#include "kernel/features.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/map.hpp"
#include "kernel/version.hpp"

namespace espy::trace {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kInitialPidNamespace = 0xEFFFFFFC;   // PROC_PID_INIT_INO

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

bool has_helper(std::string_view name) {
  const facts::HelperRow* row = facts::find_helper(name);
  return row != nullptr && kernel::probe_helper(facts::ProgType::raw_tracepoint, row->id).value_or(false);
}

}  // namespace

Abilities running_abilities() {
  static const Abilities abilities = [] {
    // What releases brought; then what this kernel may have from a newer one, or lack, is asked.
    Abilities out = abilities_of_version(kernel::running_version());
    using facts::Feature;
    if (out.isa < 4 && kernel::has_feature(Feature::cpu_v4)) out.isa = 4;
    if (out.isa == 4 && !kernel::has_feature(Feature::cpu_v4)) out.isa = 3;
    out.ring_buffer = kernel::has_feature(Feature::ring_buffer);
    out.probe_read_split = kernel::has_feature(Feature::probe_read_kernel);
    out.atomics = kernel::has_feature(Feature::atomics);
    out.bpf_loop = kernel::has_feature(Feature::bpf_loop);
    out.func_info = kernel::has_feature(Feature::btf_func);
    if (!out.lookup_percpu) out.lookup_percpu = has_helper("bpf_map_lookup_percpu_elem");
    return out;
  }();
  return abilities;
}

Result<LowerOptions> running_options() {
  LowerOptions options{.abilities = running_abilities()};
  if (auto types = kernel::vmlinux_btf()) options.vmlinux = std::move(*types);
  options.cpus = TRY(kernel::possible_cpus());
  options.start_ns = clock_ns(CLOCK_BOOTTIME);
  options.tai_offset_ns = clock_ns(CLOCK_TAI) - options.start_ns;
  struct stat ns {};
  if (::stat("/proc/self/ns/pid", &ns) == 0 && ns.st_ino != kInitialPidNamespace)
    options.pid_namespace = PidNamespaceId{.device = static_cast<std::uint64_t>(ns.st_dev), .inode = ns.st_ino};
  return options;
}

}  // namespace espy::trace
