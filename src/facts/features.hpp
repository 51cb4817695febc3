// What kernels learned when, by name: features that are no program, map or attach type of their own, or that a user knows
// by another name. Also the capabilities that eBPF asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "facts/types.hpp"

namespace espy::facts {

enum class Feature : std::uint8_t {
  // system call and objects
  prog_name, prog_test_run, test_run_context, global_data, map_freeze, mmapable_array, batch_operations, run_statistics,
  bpf_link, bpf_cookie, memory_by_cgroup, cap_bpf, bpf_token, log_true_size,
  // types
  btf, btf_func, btf_datasec, btf_float, btf_decl_tag, btf_type_tag, btf_enum64, vmlinux_btf, module_btf,
  // what programs are made of
  subprograms, bounded_loops, atomics, cpu_v4, may_goto, load_acquire, bpf_loop, kfuncs, open_coded_iterators, dynptr,
  kptr, timers, sleepable, spin_lock, probe_read_kernel,
  // maps
  map_in_map, ring_buffer, user_ring_buffer, arena, task_storage, cgroup_storage,
  // where programs run
  perf_kprobe, uprobe_semaphore, tp_btf, fentry, fmod_ret, lsm, lsm_cgroup, freplace, struct_ops, struct_ops_link,
  iterators, kprobe_multi, kprobe_session, uprobe_multi, uprobe_session, perf_event_link, xdp_link, xdp_frags, tcx, netkit,
  netfilter, sk_lookup, syscall_program,
};

struct FeatureRow {
  Feature feature{};
  std::string_view name{};  ///< "ring_buffer"
  KernelVersion since{};
  std::string_view what{};  ///< a few words: "BPF ring buffers"

  // How to see it on a kernel that is at hand, where distributions may have taken it back to older versions: a name in the
  // kernel's BTF that came with it. Empty: nothing in BTF tells; the version does.
  std::string_view enumerator{};  ///< "BPF_MAP_TYPE_RINGBUF"
  std::string_view function{};    ///< "bpf_iter_num_new"
};

std::span<const FeatureRow> features();  ///< row i is feature i
const FeatureRow& row_of(Feature feature);
const FeatureRow* find_feature(std::string_view name);

/// "BPF ring buffers, which Linux has since 5.8": for messages.
std::string describe(Feature feature);

struct CapabilityRow {
  unsigned number = 0;
  std::string_view name{};  ///< "CAP_BPF"
  KernelVersion since{};    ///< zero: before any kernel with eBPF
};

std::span<const CapabilityRow> capabilities();  ///< row i is capability i
const CapabilityRow* find_capability(unsigned number);
const CapabilityRow* find_capability(std::string_view name);  ///< as the row spells it, or in lower case

}  // namespace espy::facts
