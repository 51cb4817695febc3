#include "trace/lower/running.hpp"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/features.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/map.hpp"
#include "kernel/version.hpp"
#include "vm/cpu.hpp"

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

struct AbilityRow {
  std::string_view name;
  bool Abilities::* ability;
};
constexpr auto kAbilities = std::to_array<AbilityRow>({
    {"ring_buffer", &Abilities::ring_buffer},
    {"probe_read_kernel", &Abilities::probe_read_split},
    {"atomics", &Abilities::atomics},
    {"bounded_loops", &Abilities::bounded_loops},
    {"bpf_loop", &Abilities::bpf_loop},
    {"for_each_map_elem", &Abilities::for_each_map_elem},
    {"map_lookup_percpu_elem", &Abilities::lookup_percpu},
    {"get_current_task_btf", &Abilities::task_btf},
    {"bpf_cookie", &Abilities::attach_cookie},
    {"get_ns_current_pid_tgid", &Abilities::ns_pid},
    {"ktime_get_boot_ns", &Abilities::boot_time},
    {"ktime_get_tai_ns", &Abilities::tai_time},
});

// The user engine has every instruction, and the helpers that need no kernel.
Abilities abilities_of_user_engine() {
  Abilities abilities;
  abilities.isa = 4;
  for (bool Abilities::* has : {&Abilities::ring_buffer, &Abilities::probe_read_split, &Abilities::atomics, &Abilities::bounded_loops, &Abilities::bpf_loop,
                                &Abilities::for_each_map_elem, &Abilities::lookup_percpu, &Abilities::global_data, &Abilities::attach_cookie,
                                &Abilities::boot_time, &Abilities::tai_time, &Abilities::uninit_stack}) {
    abilities.*has = true;
  }
  return abilities;
}

}  // namespace

Abilities running_abilities() {
  static const Abilities abilities = [] {
    // A release has what it brought; a distribution's may have more from newer ones, which costs a question each.
    Abilities out = abilities_of_version(kernel::running_version());
    using facts::Feature;
    if (out.isa < 4 && kernel::has_feature(Feature::cpu_v4)) out.isa = 4;
    if (!out.ring_buffer) out.ring_buffer = kernel::has_feature(Feature::ring_buffer);
    if (!out.probe_read_split) out.probe_read_split = kernel::has_feature(Feature::probe_read_kernel);
    if (!out.atomics) out.atomics = kernel::has_feature(Feature::atomics);
    if (!out.bpf_loop) out.bpf_loop = kernel::has_feature(Feature::bpf_loop);
    if (!out.func_info) out.func_info = kernel::has_feature(Feature::btf_func);
    if (!out.lookup_percpu) out.lookup_percpu = has_helper("bpf_map_lookup_percpu_elem");
    return out;
  }();
  return abilities;
}

Result<LowerOptions> running_options() {
  LowerOptions options{.abilities = running_abilities()};
  options.vmlinux = []() -> std::shared_ptr<const btf::Btf> {
    auto types = kernel::vmlinux_btf();
    return types ? *types : nullptr;
  };
  options.cpus = TRY(kernel::possible_cpus());
  options.start_ns = clock_ns(CLOCK_BOOTTIME);
  options.tai_offset_ns = clock_ns(CLOCK_TAI) - options.start_ns;
  struct stat ns {};
  if (::stat("/proc/self/ns/pid", &ns) == 0 && ns.st_ino != kInitialPidNamespace)
    options.pid_namespace = PidNamespaceId{.device = static_cast<std::uint64_t>(ns.st_dev), .inode = ns.st_ino};
  return options;
}

LowerOptions user_engine_options() {
  return {.abilities = abilities_of_user_engine(), .cpus = vm::cpu_count(), .start_ns = clock_ns(CLOCK_BOOTTIME),
          .tai_offset_ns = clock_ns(CLOCK_TAI) - clock_ns(CLOCK_BOOTTIME)};
}

Result<void> without_feature(Abilities& abilities, std::string_view name) {
  auto row = std::ranges::find(kAbilities, name, &AbilityRow::name);
  if (row != kAbilities.end()) return abilities.*row->ability = false, Result<void>{};
  std::vector<std::string_view> names;
  for (const AbilityRow& each : kAbilities) names.push_back(each.name);
  std::string_view near = nearest(name, names);
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = fmt::format("there is no feature `{}`", name),
                               .hint = near.empty() ? fmt::format("these can be left out: {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near)});
}

}  // namespace espy::trace
