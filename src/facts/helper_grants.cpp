// Helpers that a program type may call only since a later kernel than the one that brought the helper.
#include <array>

#include "facts/lookup.hpp"
#include "facts/prog_sets.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

using enum ProgType;

// `since` is the version of the change where that is known, else the oldest of 5.10, 6.1, 6.12, 6.18 and 7.3 that was
// seen to allow the call: never too early, perhaps a few releases late.
// clang-format off
constexpr auto kHelperGrants = std::to_array<HelperGrantRow>({
    {.helper = "bpf_get_current_pid_tgid", .types = of(cgroup_device, cgroup_sysctl, cgroup_sockopt, syscall), .since = {6, 1}},
    {.helper = "bpf_get_current_pid_tgid", .types = kTc | kLwt | of(socket_filter, xdp, cgroup_skb, sock_ops, sk_skb, sk_reuseport, flow_dissector, struct_ops, sk_lookup), .since = {6, 12}},
    {.helper = "bpf_get_current_uid_gid", .types = kTc | kLwt | of(socket_filter, xdp, cgroup_skb, sock_ops, sk_skb, sk_reuseport, flow_dissector, struct_ops, sk_lookup, netfilter), .since = {6, 18}},
    {.helper = "bpf_get_current_comm", .types = of(cgroup_device, cgroup_sysctl, cgroup_sockopt), .since = {6, 1}},
    {.helper = "bpf_get_cgroup_classid", .types = of(cgroup_device, cgroup_sysctl, cgroup_sockopt), .since = {6, 1}},
    {.helper = "bpf_get_current_comm", .types = kTc | kLwt | kSocket | of(socket_filter, xdp, cgroup_skb, sk_reuseport, struct_ops, netfilter), .since = {6, 18}},
    {.helper = "bpf_current_task_under_cgroup", .types = kTc | kLwt | kSocket | of(socket_filter, xdp, cgroup_skb, sk_reuseport, struct_ops, netfilter), .since = {6, 18}},
    {.helper = "bpf_get_cgroup_classid", .types = kTracing | of(socket_filter, xdp, cgroup_skb, sock_ops, sk_skb, sk_reuseport, flow_dissector, struct_ops, sk_lookup, syscall, netfilter), .since = {6, 18}},
    {.helper = "bpf_get_cgroup_classid", .types = of(lsm), .since = {7, 3}},
    {.helper = "bpf_perf_event_read", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_perf_event_read_value", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_send_signal", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_send_signal_thread", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_get_task_stack", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_copy_from_user", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_task_storage_get", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_task_storage_delete", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_get_branch_snapshot", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_find_vma", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_copy_from_user_task", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall)), .since = {6, 18}},
    {.helper = "bpf_current_task_under_cgroup", .types = of(cgroup_sock, cgroup_device, cgroup_sock_addr, cgroup_sysctl, cgroup_sockopt), .since = {6, 12}},
    {.helper = "bpf_skb_change_head", .types = kTc, .since = {5, 8}},
    {.helper = "bpf_get_socket_cookie", .types = of(sk_reuseport, tracing, lsm), .since = {6, 1}},
    {.helper = "bpf_setsockopt", .types = of(cgroup_sock_addr), .since = {5, 8}},
    {.helper = "bpf_getsockopt", .types = of(cgroup_sock_addr), .since = {5, 8}},
    {.helper = "bpf_setsockopt", .types = of(cgroup_sockopt), .since = {5, 15}},
    {.helper = "bpf_getsockopt", .types = of(cgroup_sockopt), .since = {5, 15}},
    {.helper = "bpf_setsockopt", .types = of(lsm), .since = {6, 0}},
    {.helper = "bpf_getsockopt", .types = of(lsm), .since = {6, 0}},
    {.helper = "bpf_setsockopt", .types = of(tracing, struct_ops), .since = {6, 1}},
    {.helper = "bpf_getsockopt", .types = of(tracing, struct_ops), .since = {6, 1}},
    {.helper = "bpf_setsockopt", .types = of(cgroup_sock), .since = {7, 3}},
    {.helper = "bpf_getsockopt", .types = of(cgroup_sock), .since = {7, 3}},
    {.helper = "bpf_get_current_cgroup_id", .types = kTc | kLwt | of(socket_filter, xdp, cgroup_skb, sock_ops, sk_skb, sk_reuseport, flow_dissector, struct_ops, sk_lookup), .since = {6, 4}},
    {.helper = "bpf_get_current_ancestor_cgroup_id", .types = kTc | kLwt | of(socket_filter, xdp, cgroup_skb, sock_ops, sk_skb, sk_reuseport, flow_dissector, struct_ops, sk_lookup), .since = {6, 4}},
    {.helper = "bpf_get_local_storage", .types = of(lsm), .since = {6, 1}},
    {.helper = "bpf_spin_lock", .types = kTracing | of(lsm), .since = {6, 1}},
    {.helper = "bpf_spin_unlock", .types = kTracing | of(lsm), .since = {6, 1}},
    {.helper = "bpf_strtol", .types = kAny - of(lirc_mode2, cgroup_sysctl, syscall, netfilter), .since = {6, 1}},
    {.helper = "bpf_strtoul", .types = kAny - of(lirc_mode2, cgroup_sysctl, syscall, netfilter), .since = {6, 1}},
    {.helper = "bpf_sk_storage_get", .types = of(tracing), .since = {5, 11}},
    {.helper = "bpf_sk_storage_delete", .types = of(tracing), .since = {5, 11}},
    {.helper = "bpf_get_ns_current_pid_tgid", .types = of(syscall), .since = {6, 1}},
    {.helper = "bpf_get_ns_current_pid_tgid", .types = kAny - (kTracing | of(lirc_mode2, lsm, syscall, netfilter)), .since = {6, 12}},
    {.helper = "bpf_get_netns_cookie", .types = of(sock_ops, sk_msg, cgroup_sockopt), .since = {6, 1}},
    {.helper = "bpf_get_netns_cookie", .types = kTc, .since = {6, 13}},
    {.helper = "bpf_get_netns_cookie", .types = of(socket_filter, cgroup_skb), .since = {6, 15}},
    {.helper = "bpf_get_current_ancestor_cgroup_id", .types = kTracing | of(cgroup_device, cgroup_sysctl, cgroup_sockopt, lsm), .since = {6, 1}},
    {.helper = "bpf_copy_from_user", .types = kTracing | of(lsm), .since = {6, 12}},
    {.helper = "bpf_copy_from_user_task", .types = kTracing | of(lsm), .since = {6, 12}},
    {.helper = "bpf_ima_inode_hash", .types = of(lsm), .since = {6, 12}},
    {.helper = "bpf_ima_file_hash", .types = of(lsm), .since = {6, 12}},
    {.helper = "bpf_get_attach_cookie", .types = of(tracing, lsm), .since = {5, 19}},
    {.helper = "bpf_get_attach_cookie", .types = of(raw_tracepoint, raw_tracepoint_writable), .since = {6, 12}},
});

using A = AttachType;
constexpr EnumSet<A> kTrampoline{A::trace_fentry, A::trace_fexit, A::modify_return, A::trace_fsession};
constexpr EnumSet<A> kConnect{A::cgroup_inet4_connect, A::cgroup_inet6_connect};
constexpr EnumSet<A> kDecides{A::cgroup_inet4_bind, A::cgroup_inet6_bind, A::cgroup_inet4_connect, A::cgroup_inet6_connect,
                              A::cgroup_udp4_sendmsg, A::cgroup_udp6_sendmsg, A::cgroup_unix_connect, A::cgroup_unix_sendmsg};

constexpr HelperAttachRow kHelperAttach[] = {
    {.helper = "bpf_bind", .type = cgroup_sock_addr, .attach = kConnect},
    {.helper = "bpf_get_retval", .type = cgroup_sock_addr, .attach = kDecides},
    {.helper = "bpf_set_retval", .type = cgroup_sock_addr, .attach = kDecides},
    {.helper = "bpf_setsockopt", .type = cgroup_sockopt, .attach = {A::cgroup_setsockopt}},
    {.helper = "bpf_getsockopt", .type = cgroup_sockopt, .attach = {A::cgroup_setsockopt}},
    {.helper = "bpf_setsockopt", .type = tracing, .attach = {A::trace_iter}},
    {.helper = "bpf_getsockopt", .type = tracing, .attach = {A::trace_iter}},
    {.helper = "bpf_seq_printf", .type = tracing, .attach = {A::trace_iter}},
    {.helper = "bpf_seq_write", .type = tracing, .attach = {A::trace_iter}},
    {.helper = "bpf_seq_printf_btf", .type = tracing, .attach = {A::trace_iter}},
    {.helper = "bpf_get_func_arg", .type = tracing, .attach = kTrampoline},
    {.helper = "bpf_get_func_ret", .type = tracing, .attach = kTrampoline},
    {.helper = "bpf_get_func_arg_cnt", .type = tracing, .attach = kTrampoline},
    {.helper = "bpf_get_func_ip", .type = tracing, .attach = kTrampoline},
    {.helper = "bpf_get_attach_cookie", .type = tracing, .attach = kTrampoline | EnumSet<A>{A::trace_raw_tp}},
    {.helper = "bpf_get_attach_cookie", .type = lsm, .attach = {A::lsm_mac}},
    {.helper = "bpf_get_func_arg", .type = lsm, .attach = {A::lsm_mac}},
    {.helper = "bpf_get_func_ret", .type = lsm, .attach = {A::lsm_mac}},
    {.helper = "bpf_get_func_arg_cnt", .type = lsm, .attach = {A::lsm_mac}},
    {.helper = "bpf_get_local_storage", .type = lsm, .attach = {A::lsm_cgroup}},
    {.helper = "bpf_setsockopt", .type = lsm, .attach = {A::lsm_cgroup}},
    {.helper = "bpf_getsockopt", .type = lsm, .attach = {A::lsm_cgroup}},
    {.helper = "bpf_get_retval", .type = lsm, .attach = {A::lsm_cgroup}},
    {.helper = "bpf_set_retval", .type = lsm, .attach = {A::lsm_cgroup}},
};
// clang-format on

}  // namespace

std::span<const HelperGrantRow> helper_grants() { return kHelperGrants; }

std::span<const HelperAttachRow> helper_attach() { return kHelperAttach; }

std::optional<KernelVersion> callable_since(ProgType type, std::optional<AttachType> attach, const HelperRow& helper) {
  auto row = std::ranges::find_if(kHelperAttach, [&](const HelperAttachRow& one) { return one.helper == helper.name && one.type == type; });
  if (row != std::end(kHelperAttach) && !(attach && row->attach.has(*attach))) return std::nullopt;
  return callable_since(type, helper);
}

std::optional<KernelVersion> callable_since(ProgType type, const HelperRow& helper) {
  const ProgTypeRow* row = find(type);
  if (row == nullptr || !helper.callers.has(type)) return std::nullopt;
  auto grants_it = [&](const HelperGrantRow& grant) { return grant.helper == helper.name && grant.types.has(type); };
  auto grant = std::ranges::find_if(kHelperGrants, grants_it);
  return std::max({helper.since, row->since, grant == kHelperGrants.end() ? KernelVersion{} : grant->since});
}

}  // namespace espy::facts
