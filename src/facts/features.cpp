#include "facts/features.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "facts/lookup.hpp"

namespace espy::facts {
namespace {

using enum Feature;

// clang-format off
constexpr auto kFeatures = std::to_array<FeatureRow>({
    {.feature = prog_name, .name = "prog_name", .since = {4, 15}, .what = "names of programs and maps"},
    {.feature = prog_test_run, .name = "prog_test_run", .since = {4, 12}, .what = "BPF_PROG_TEST_RUN", .enumerator = "BPF_PROG_TEST_RUN"},
    {.feature = test_run_context, .name = "test_run_context", .since = {5, 2}, .what = "a context given to BPF_PROG_TEST_RUN"},
    {.feature = global_data, .name = "global_data", .since = {5, 2}, .what = "global variables (.data, .rodata, .bss)", .function = "array_map_direct_value_addr"},
    {.feature = map_freeze, .name = "map_freeze", .since = {5, 2}, .what = "maps that user space can no longer write", .enumerator = "BPF_MAP_FREEZE"},
    {.feature = mmapable_array, .name = "mmapable_array", .since = {5, 5}, .what = "array maps mapped into memory", .enumerator = "BPF_F_MMAPABLE"},
    {.feature = batch_operations, .name = "batch_operations", .since = {5, 6}, .what = "map operations on many entries at once", .enumerator = "BPF_MAP_LOOKUP_BATCH"},
    {.feature = run_statistics, .name = "run_statistics", .since = {5, 8}, .what = "run-time statistics switched on by BPF_ENABLE_STATS", .enumerator = "BPF_ENABLE_STATS"},
    {.feature = bpf_link, .name = "bpf_link", .since = {5, 7}, .what = "BPF links", .enumerator = "BPF_LINK_CREATE"},
    {.feature = bpf_cookie, .name = "bpf_cookie", .since = {5, 15}, .what = "a cookie per attachment", .enumerator = "BPF_FUNC_get_attach_cookie"},
    {.feature = memory_by_cgroup, .name = "memory_by_cgroup", .since = {5, 11}, .what = "BPF memory charged to the cgroup instead of RLIMIT_MEMLOCK"},
    {.feature = cap_bpf, .name = "cap_bpf", .since = {5, 8}, .what = "CAP_BPF and CAP_PERFMON"},
    {.feature = bpf_token, .name = "bpf_token", .since = {6, 9}, .what = "BPF tokens", .enumerator = "BPF_TOKEN_CREATE"},
    {.feature = log_true_size, .name = "log_true_size", .since = {6, 4}, .what = "the verifier saying how long its log is"},

    {.feature = btf, .name = "btf", .since = {4, 18}, .what = "BTF of programs and maps", .enumerator = "BPF_BTF_LOAD"},
    {.feature = btf_func, .name = "btf_func", .since = {5, 0}, .what = "BTF of functions and source lines"},
    {.feature = btf_datasec, .name = "btf_datasec", .since = {5, 2}, .what = "BTF of data sections"},
    {.feature = btf_float, .name = "btf_float", .since = {5, 13}, .what = "BTF of floating-point types", .enumerator = "BTF_KIND_FLOAT"},
    {.feature = btf_decl_tag, .name = "btf_decl_tag", .since = {5, 16}, .what = "BTF tags of declarations", .enumerator = "BTF_KIND_DECL_TAG"},
    {.feature = btf_type_tag, .name = "btf_type_tag", .since = {5, 17}, .what = "BTF tags of types", .enumerator = "BTF_KIND_TYPE_TAG"},
    {.feature = btf_enum64, .name = "btf_enum64", .since = {6, 0}, .what = "BTF of 64-bit enumerations", .enumerator = "BTF_KIND_ENUM64"},
    {.feature = vmlinux_btf, .name = "vmlinux_btf", .since = {5, 4}, .what = "the kernel's own BTF at /sys/kernel/btf/vmlinux"},
    {.feature = module_btf, .name = "module_btf", .since = {5, 11}, .what = "BTF of kernel modules"},

    {.feature = subprograms, .name = "subprograms", .since = {4, 16}, .what = "calls from program to program"},
    {.feature = bounded_loops, .name = "bounded_loops", .since = {5, 3}, .what = "loops that the verifier follows to their end"},
    {.feature = atomics, .name = "atomics", .since = {5, 12}, .what = "atomic exchange, compare-and-exchange and fetching operations"},
    {.feature = cpu_v4, .name = "cpu_v4", .since = {6, 6}, .what = "instruction set v4: sign-extending loads, signed division, 32-bit jumps, bswap"},
    {.feature = may_goto, .name = "may_goto", .since = {6, 9}, .what = "may_goto loops"},
    {.feature = load_acquire, .name = "load_acquire", .since = {6, 15}, .what = "load-acquire and store-release"},
    {.feature = bpf_loop, .name = "bpf_loop", .since = {5, 17}, .what = "bpf_loop()", .enumerator = "BPF_FUNC_loop"},
    {.feature = kfuncs, .name = "kfuncs", .since = {5, 13}, .what = "calls of kernel functions"},
    {.feature = open_coded_iterators, .name = "open_coded_iterators", .since = {6, 4}, .what = "iterators inside programs", .function = "bpf_iter_num_new"},
    {.feature = dynptr, .name = "dynptr", .since = {5, 19}, .what = "dynamic pointers", .enumerator = "BPF_FUNC_dynptr_from_mem"},
    {.feature = kptr, .name = "kptr", .since = {5, 19}, .what = "kernel pointers in map values", .enumerator = "BPF_FUNC_kptr_xchg"},
    {.feature = timers, .name = "timers", .since = {5, 15}, .what = "bpf_timer", .enumerator = "BPF_FUNC_timer_init"},
    {.feature = sleepable, .name = "sleepable", .since = {5, 10}, .what = "programs that may sleep", .enumerator = "BPF_FUNC_copy_from_user"},
    {.feature = spin_lock, .name = "spin_lock", .since = {5, 1}, .what = "bpf_spin_lock", .enumerator = "BPF_FUNC_spin_lock"},
    {.feature = probe_read_kernel, .name = "probe_read_kernel", .since = {5, 5}, .what = "bpf_probe_read_kernel() and _user()", .enumerator = "BPF_FUNC_probe_read_kernel"},

    {.feature = map_in_map, .name = "map_in_map", .since = {4, 12}, .what = "maps of maps", .enumerator = "BPF_MAP_TYPE_ARRAY_OF_MAPS"},
    {.feature = ring_buffer, .name = "ring_buffer", .since = {5, 8}, .what = "BPF ring buffers", .enumerator = "BPF_MAP_TYPE_RINGBUF"},
    {.feature = user_ring_buffer, .name = "user_ring_buffer", .since = {6, 1}, .what = "ring buffers from user space", .enumerator = "BPF_MAP_TYPE_USER_RINGBUF"},
    {.feature = arena, .name = "arena", .since = {6, 9}, .what = "arenas", .enumerator = "BPF_MAP_TYPE_ARENA"},
    {.feature = task_storage, .name = "task_storage", .since = {5, 11}, .what = "storage that lives with a task", .enumerator = "BPF_MAP_TYPE_TASK_STORAGE"},
    {.feature = cgroup_storage, .name = "cgroup_storage", .since = {6, 2}, .what = "storage that lives with a cgroup", .enumerator = "BPF_MAP_TYPE_CGRP_STORAGE"},

    {.feature = perf_kprobe, .name = "perf_kprobe", .since = {4, 17}, .what = "kprobes and uprobes through perf_event_open"},
    {.feature = uprobe_semaphore, .name = "uprobe_semaphore", .since = {4, 20}, .what = "USDT semaphores raised by the kernel"},
    {.feature = tp_btf, .name = "tp_btf", .since = {5, 5}, .what = "tracepoints with typed arguments", .enumerator = "BPF_TRACE_RAW_TP"},
    {.feature = fentry, .name = "fentry", .since = {5, 5}, .what = "fentry and fexit programs", .enumerator = "BPF_TRACE_FENTRY"},
    {.feature = fmod_ret, .name = "fmod_ret", .since = {5, 7}, .what = "fmod_ret programs", .enumerator = "BPF_MODIFY_RETURN"},
    {.feature = lsm, .name = "lsm", .since = {5, 7}, .what = "LSM programs", .enumerator = "BPF_LSM_MAC"},
    {.feature = lsm_cgroup, .name = "lsm_cgroup", .since = {6, 0}, .what = "LSM programs of a cgroup", .enumerator = "BPF_LSM_CGROUP"},
    {.feature = freplace, .name = "freplace", .since = {5, 6}, .what = "programs that replace a function of another", .enumerator = "BPF_PROG_TYPE_EXT"},
    {.feature = struct_ops, .name = "struct_ops", .since = {5, 6}, .what = "struct_ops programs", .enumerator = "BPF_PROG_TYPE_STRUCT_OPS"},
    {.feature = struct_ops_link, .name = "struct_ops_link", .since = {6, 4}, .what = "links of struct_ops", .enumerator = "BPF_F_LINK"},
    {.feature = iterators, .name = "iterators", .since = {5, 8}, .what = "iterator programs", .enumerator = "BPF_TRACE_ITER"},
    {.feature = kprobe_multi, .name = "kprobe_multi", .since = {5, 18}, .what = "one kprobe on many functions", .enumerator = "BPF_TRACE_KPROBE_MULTI"},
    {.feature = kprobe_session, .name = "kprobe_session", .since = {6, 10}, .what = "one kprobe program on entry and return", .enumerator = "BPF_TRACE_KPROBE_SESSION"},
    {.feature = uprobe_multi, .name = "uprobe_multi", .since = {6, 6}, .what = "one uprobe on many functions", .enumerator = "BPF_TRACE_UPROBE_MULTI"},
    {.feature = uprobe_session, .name = "uprobe_session", .since = {6, 13}, .what = "one uprobe program on entry and return", .enumerator = "BPF_TRACE_UPROBE_SESSION"},
    {.feature = perf_event_link, .name = "perf_event_link", .since = {5, 15}, .what = "links of performance events, kprobes, uprobes and tracepoints", .enumerator = "BPF_LINK_TYPE_PERF_EVENT"},
    {.feature = xdp_link, .name = "xdp_link", .since = {5, 9}, .what = "links of XDP programs", .enumerator = "BPF_LINK_TYPE_XDP"},
    {.feature = xdp_frags, .name = "xdp_frags", .since = {5, 18}, .what = "XDP programs for packets of several buffers", .enumerator = "BPF_FUNC_xdp_get_buff_len"},
    {.feature = tcx, .name = "tcx", .since = {6, 6}, .what = "links at an interface's traffic control point", .enumerator = "BPF_TCX_INGRESS"},
    {.feature = netkit, .name = "netkit", .since = {6, 7}, .what = "netkit devices", .enumerator = "BPF_NETKIT_PRIMARY"},
    {.feature = netfilter, .name = "netfilter", .since = {6, 4}, .what = "netfilter programs", .enumerator = "BPF_PROG_TYPE_NETFILTER"},
    {.feature = sk_lookup, .name = "sk_lookup", .since = {5, 9}, .what = "programs that choose the socket of a connection", .enumerator = "BPF_SK_LOOKUP"},
    {.feature = syscall_program, .name = "syscall_program", .since = {5, 14}, .what = "programs that call bpf(2)", .enumerator = "BPF_PROG_TYPE_SYSCALL"},
});
// clang-format on
static_assert(kFeatures.size() == std::to_underlying(syscall_program) + 1U);
static_assert(rows_are_in_order(kFeatures, [](const FeatureRow& row) { return row.feature; }));
static_assert(names_are_unique(kFeatures));

}  // namespace

std::span<const FeatureRow> features() { return kFeatures; }
const FeatureRow& row_of(Feature feature) { return kFeatures[std::to_underlying(feature)]; }
const FeatureRow* find_feature(std::string_view name) {
  auto found = std::ranges::find(kFeatures, name, &FeatureRow::name);
  return found == kFeatures.end() ? nullptr : &*found;
}

std::string describe(Feature feature) {
  const FeatureRow& row = row_of(feature);
  return fmt::format("{}, which Linux has since {}", row.what, to_string(row.since));
}

}  // namespace espy::facts
