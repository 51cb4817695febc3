// Attach types: enum bpf_attach_type.
#include <array>

#include "facts/lookup.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

constexpr auto kAttachTypes = std::to_array<AttachTypeRow>({
    {.type = AttachType::cgroup_inet_ingress, .name = "cgroup_inet_ingress", .since = {4, 10}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet_egress, .name = "cgroup_inet_egress", .since = {4, 10}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet_sock_create, .name = "cgroup_inet_sock_create", .since = {4, 10}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_sock_ops, .name = "cgroup_sock_ops", .since = {4, 13}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::sk_skb_stream_parser, .name = "sk_skb_stream_parser", .since = {4, 14}, .needs = "CONFIG_BPF_STREAM_PARSER"},
    {.type = AttachType::sk_skb_stream_verdict, .name = "sk_skb_stream_verdict", .since = {4, 14}, .needs = "CONFIG_BPF_STREAM_PARSER"},
    {.type = AttachType::cgroup_device, .name = "cgroup_device", .since = {4, 15}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::sk_msg_verdict, .name = "sk_msg_verdict", .since = {4, 17}, .needs = "CONFIG_NET_SOCK_MSG"},
    {.type = AttachType::cgroup_inet4_bind, .name = "cgroup_inet4_bind", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet6_bind, .name = "cgroup_inet6_bind", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet4_connect, .name = "cgroup_inet4_connect", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet6_connect, .name = "cgroup_inet6_connect", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet4_post_bind, .name = "cgroup_inet4_post_bind", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet6_post_bind, .name = "cgroup_inet6_post_bind", .since = {4, 17}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_udp4_sendmsg, .name = "cgroup_udp4_sendmsg", .since = {4, 18}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_udp6_sendmsg, .name = "cgroup_udp6_sendmsg", .since = {4, 18}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::lirc_mode2, .name = "lirc_mode2", .since = {4, 18}, .needs = "CONFIG_BPF_LIRC_MODE2"},
    {.type = AttachType::flow_dissector, .name = "flow_dissector", .since = {4, 20}},
    {.type = AttachType::cgroup_sysctl, .name = "cgroup_sysctl", .since = {5, 2}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_udp4_recvmsg, .name = "cgroup_udp4_recvmsg", .since = {5, 2}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_udp6_recvmsg, .name = "cgroup_udp6_recvmsg", .since = {5, 2}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_getsockopt, .name = "cgroup_getsockopt", .since = {5, 3}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_setsockopt, .name = "cgroup_setsockopt", .since = {5, 3}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::trace_raw_tp, .name = "trace_raw_tp", .since = {5, 5}, .needs = "CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF"},
    {.type = AttachType::trace_fentry, .name = "trace_fentry", .since = {5, 5}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::trace_fexit, .name = "trace_fexit", .since = {5, 5}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::modify_return, .name = "modify_return", .since = {5, 7}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::lsm_mac, .name = "lsm_mac", .since = {5, 7}, .needs = "CONFIG_BPF_LSM"},
    {.type = AttachType::trace_iter, .name = "trace_iter", .since = {5, 8}, .needs = "CONFIG_DEBUG_INFO_BTF"},
    {.type = AttachType::cgroup_inet4_getpeername, .name = "cgroup_inet4_getpeername", .since = {5, 8}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet6_getpeername, .name = "cgroup_inet6_getpeername", .since = {5, 8}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet4_getsockname, .name = "cgroup_inet4_getsockname", .since = {5, 8}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_inet6_getsockname, .name = "cgroup_inet6_getsockname", .since = {5, 8}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::xdp_devmap, .name = "xdp_devmap", .since = {5, 8}},
    {.type = AttachType::cgroup_inet_sock_release, .name = "cgroup_inet_sock_release", .since = {5, 9}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::xdp_cpumap, .name = "xdp_cpumap", .since = {5, 9}},
    {.type = AttachType::sk_lookup, .name = "sk_lookup", .since = {5, 9}},
    {.type = AttachType::xdp, .name = "xdp", .since = {5, 9}},
    {.type = AttachType::sk_skb_verdict, .name = "sk_skb_verdict", .since = {5, 13}, .needs = "CONFIG_NET_SOCK_MSG"},
    {.type = AttachType::sk_reuseport_select, .name = "sk_reuseport_select", .since = {5, 14}},
    {.type = AttachType::sk_reuseport_select_or_migrate, .name = "sk_reuseport_select_or_migrate", .since = {5, 14}},
    {.type = AttachType::perf_event, .name = "perf_event", .since = {5, 15}, .needs = "CONFIG_BPF_EVENTS"},
    {.type = AttachType::trace_kprobe_multi, .name = "trace_kprobe_multi", .since = {5, 18}, .needs = "CONFIG_FPROBE"},
    {.type = AttachType::lsm_cgroup, .name = "lsm_cgroup", .since = {6, 0}, .needs = "CONFIG_BPF_LSM and CONFIG_CGROUP_BPF"},
    {.type = AttachType::struct_ops, .name = "struct_ops", .since = {6, 4}, .needs = "CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF"},
    {.type = AttachType::netfilter, .name = "netfilter", .since = {6, 4}, .needs = "CONFIG_NETFILTER_BPF_LINK"},
    {.type = AttachType::tcx_ingress, .name = "tcx_ingress", .since = {6, 6}, .needs = "CONFIG_NET_XGRESS"},
    {.type = AttachType::tcx_egress, .name = "tcx_egress", .since = {6, 6}, .needs = "CONFIG_NET_XGRESS"},
    {.type = AttachType::trace_uprobe_multi, .name = "trace_uprobe_multi", .since = {6, 6}, .needs = "CONFIG_UPROBES"},
    {.type = AttachType::cgroup_unix_connect, .name = "cgroup_unix_connect", .since = {6, 7}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_unix_sendmsg, .name = "cgroup_unix_sendmsg", .since = {6, 7}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_unix_recvmsg, .name = "cgroup_unix_recvmsg", .since = {6, 7}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_unix_getpeername, .name = "cgroup_unix_getpeername", .since = {6, 7}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::cgroup_unix_getsockname, .name = "cgroup_unix_getsockname", .since = {6, 7}, .needs = "CONFIG_CGROUP_BPF"},
    {.type = AttachType::netkit_primary, .name = "netkit_primary", .since = {6, 7}, .needs = "CONFIG_NETKIT"},
    {.type = AttachType::netkit_peer, .name = "netkit_peer", .since = {6, 7}, .needs = "CONFIG_NETKIT"},
    {.type = AttachType::trace_kprobe_session, .name = "trace_kprobe_session", .since = {6, 10}, .needs = "CONFIG_FPROBE"},
    {.type = AttachType::trace_uprobe_session, .name = "trace_uprobe_session", .since = {6, 13}, .needs = "CONFIG_UPROBES"},
    {.type = AttachType::trace_fsession, .name = "trace_fsession", .since = {7, 0}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::trace_fentry_multi, .name = "trace_fentry_multi", .since = {7, 2}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::trace_fexit_multi, .name = "trace_fexit_multi", .since = {7, 2}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
    {.type = AttachType::trace_fsession_multi, .name = "trace_fsession_multi", .since = {7, 2}, .needs = "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
});
// clang-format on
static_assert(kAttachTypes.size() == std::to_underlying(AttachType::trace_fsession_multi) + 1U);
static_assert(rows_are_in_order(kAttachTypes, [](const AttachTypeRow& row) { return row.type; }));
static_assert(names_are_unique(kAttachTypes));

}  // namespace

std::span<const AttachTypeRow> attach_types() { return kAttachTypes; }
const AttachTypeRow* find(AttachType type) { return row_at(kAttachTypes, std::to_underlying(type)); }
const AttachTypeRow* find_attach_type(std::string_view name) { return row_named(kAttachTypes, name, "BPF_"); }
std::string to_string(AttachType type) { return name_or_number(find(type), "attach type", std::to_underlying(type)); }

}  // namespace espy::facts
