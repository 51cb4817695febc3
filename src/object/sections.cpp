#include "object/sections.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace espy::object {
namespace {

using facts::AttachType;
using facts::ProgType;

// clang-format off
constexpr auto kSections = std::to_array<SectionRow>({
    // Sockets
    {.kind = "socket", .type = ProgType::socket_filter},
    {.kind = "sk_reuseport/migrate", .type = ProgType::sk_reuseport, .attach_type = AttachType::sk_reuseport_select_or_migrate},
    {.kind = "sk_reuseport", .type = ProgType::sk_reuseport, .attach_type = AttachType::sk_reuseport_select},
    {.kind = "sk_lookup", .type = ProgType::sk_lookup, .attach_type = AttachType::sk_lookup},
    // Tracing by name
    {.kind = "kprobe", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "kretprobe", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uprobe", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uretprobe", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uprobe.s", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "uretprobe.s", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "kprobe.multi", .type = ProgType::kprobe, .attach_type = AttachType::trace_kprobe_multi, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "kretprobe.multi", .type = ProgType::kprobe, .attach_type = AttachType::trace_kprobe_multi, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "kprobe.session", .type = ProgType::kprobe, .attach_type = AttachType::trace_kprobe_session, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uprobe.multi", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_multi, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uretprobe.multi", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_multi, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uprobe.multi.s", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_multi, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "uretprobe.multi.s", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_multi, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "uprobe.session", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_session, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "uprobe.session.s", .type = ProgType::kprobe, .attach_type = AttachType::trace_uprobe_session, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "ksyscall", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "kretsyscall", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "usdt", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "usdt.s", .type = ProgType::kprobe, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true},
    {.kind = "tracepoint", .type = ProgType::tracepoint, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "tp", .type = ProgType::tracepoint, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "raw_tracepoint", .type = ProgType::raw_tracepoint, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "raw_tp", .type = ProgType::raw_tracepoint, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "raw_tracepoint.w", .type = ProgType::raw_tracepoint_writable, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "raw_tp.w", .type = ProgType::raw_tracepoint_writable, .suffix = SectionSuffix::optional, .autoattach = true},
    {.kind = "perf_event", .type = ProgType::perf_event},
    // Tracing by kernel type
    {.kind = "tp_btf", .type = ProgType::tracing, .attach_type = AttachType::trace_raw_tp, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fentry", .type = ProgType::tracing, .attach_type = AttachType::trace_fentry, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fentry.s", .type = ProgType::tracing, .attach_type = AttachType::trace_fentry, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fmod_ret", .type = ProgType::tracing, .attach_type = AttachType::modify_return, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fmod_ret.s", .type = ProgType::tracing, .attach_type = AttachType::modify_return, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fexit", .type = ProgType::tracing, .attach_type = AttachType::trace_fexit, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "fexit.s", .type = ProgType::tracing, .attach_type = AttachType::trace_fexit, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true, .needs_attach_btf = true},
    {.kind = "iter", .type = ProgType::tracing, .attach_type = AttachType::trace_iter, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "iter.s", .type = ProgType::tracing, .attach_type = AttachType::trace_iter, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true, .needs_attach_btf = true},
    {.kind = "freplace", .type = ProgType::ext, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "lsm", .type = ProgType::lsm, .attach_type = AttachType::lsm_mac, .suffix = SectionSuffix::optional, .autoattach = true, .needs_attach_btf = true},
    {.kind = "lsm.s", .type = ProgType::lsm, .attach_type = AttachType::lsm_mac, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}, .autoattach = true, .needs_attach_btf = true},
    {.kind = "lsm_cgroup", .type = ProgType::lsm, .attach_type = AttachType::lsm_cgroup, .suffix = SectionSuffix::optional, .needs_attach_btf = true},
    {.kind = "struct_ops", .type = ProgType::struct_ops, .suffix = SectionSuffix::optional},
    {.kind = "struct_ops.s", .type = ProgType::struct_ops, .suffix = SectionSuffix::optional, .flags = {.sleepable = true}},
    {.kind = "syscall", .type = ProgType::syscall, .flags = {.sleepable = true}},
    // Packets
    {.kind = "tc/ingress", .type = ProgType::sched_cls, .attach_type = AttachType::tcx_ingress},
    {.kind = "tc/egress", .type = ProgType::sched_cls, .attach_type = AttachType::tcx_egress},
    {.kind = "tcx/ingress", .type = ProgType::sched_cls, .attach_type = AttachType::tcx_ingress},
    {.kind = "tcx/egress", .type = ProgType::sched_cls, .attach_type = AttachType::tcx_egress},
    {.kind = "tc", .type = ProgType::sched_cls},
    {.kind = "classifier", .type = ProgType::sched_cls, .instead = "tc"},
    {.kind = "action", .type = ProgType::sched_act, .instead = "tc"},
    {.kind = "netkit/primary", .type = ProgType::sched_cls, .attach_type = AttachType::netkit_primary},
    {.kind = "netkit/peer", .type = ProgType::sched_cls, .attach_type = AttachType::netkit_peer},
    {.kind = "xdp.frags/devmap", .type = ProgType::xdp, .attach_type = AttachType::xdp_devmap, .flags = {.xdp_frags = true}},
    {.kind = "xdp/devmap", .type = ProgType::xdp, .attach_type = AttachType::xdp_devmap},
    {.kind = "xdp.frags/cpumap", .type = ProgType::xdp, .attach_type = AttachType::xdp_cpumap, .flags = {.xdp_frags = true}},
    {.kind = "xdp/cpumap", .type = ProgType::xdp, .attach_type = AttachType::xdp_cpumap},
    {.kind = "xdp.frags", .type = ProgType::xdp, .attach_type = AttachType::xdp, .flags = {.xdp_frags = true}},
    {.kind = "xdp", .type = ProgType::xdp, .attach_type = AttachType::xdp, .attach_type_optional = true},
    {.kind = "lwt_in", .type = ProgType::lwt_in},
    {.kind = "lwt_out", .type = ProgType::lwt_out},
    {.kind = "lwt_xmit", .type = ProgType::lwt_xmit},
    {.kind = "lwt_seg6local", .type = ProgType::lwt_seg6local},
    {.kind = "netfilter", .type = ProgType::netfilter, .attach_type = AttachType::netfilter},
    {.kind = "flow_dissector", .type = ProgType::flow_dissector, .attach_type = AttachType::flow_dissector, .attach_type_optional = true},
    {.kind = "sk_skb/stream_parser", .type = ProgType::sk_skb, .attach_type = AttachType::sk_skb_stream_parser, .attach_type_optional = true},
    {.kind = "sk_skb/stream_verdict", .type = ProgType::sk_skb, .attach_type = AttachType::sk_skb_stream_verdict, .attach_type_optional = true},
    {.kind = "sk_skb/verdict", .type = ProgType::sk_skb, .attach_type = AttachType::sk_skb_verdict, .attach_type_optional = true},
    {.kind = "sk_skb", .type = ProgType::sk_skb},
    {.kind = "sk_msg", .type = ProgType::sk_msg, .attach_type = AttachType::sk_msg_verdict, .attach_type_optional = true},
    {.kind = "lirc_mode2", .type = ProgType::lirc_mode2, .attach_type = AttachType::lirc_mode2, .attach_type_optional = true},
    // Control groups
    {.kind = "sockops", .type = ProgType::sock_ops, .attach_type = AttachType::cgroup_sock_ops, .attach_type_optional = true},
    {.kind = "cgroup_skb/ingress", .type = ProgType::cgroup_skb, .attach_type = AttachType::cgroup_inet_ingress, .attach_type_optional = true},
    {.kind = "cgroup_skb/egress", .type = ProgType::cgroup_skb, .attach_type = AttachType::cgroup_inet_egress, .attach_type_optional = true},
    {.kind = "cgroup/skb", .type = ProgType::cgroup_skb},
    {.kind = "cgroup/sock_create", .type = ProgType::cgroup_sock, .attach_type = AttachType::cgroup_inet_sock_create},
    {.kind = "cgroup/sock_release", .type = ProgType::cgroup_sock, .attach_type = AttachType::cgroup_inet_sock_release},
    {.kind = "cgroup/sock", .type = ProgType::cgroup_sock, .attach_type = AttachType::cgroup_inet_sock_create, .attach_type_optional = true},
    {.kind = "cgroup/post_bind4", .type = ProgType::cgroup_sock, .attach_type = AttachType::cgroup_inet4_post_bind},
    {.kind = "cgroup/post_bind6", .type = ProgType::cgroup_sock, .attach_type = AttachType::cgroup_inet6_post_bind},
    {.kind = "cgroup/bind4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet4_bind},
    {.kind = "cgroup/bind6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet6_bind},
    {.kind = "cgroup/connect4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet4_connect},
    {.kind = "cgroup/connect6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet6_connect},
    {.kind = "cgroup/connect_unix", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_unix_connect},
    {.kind = "cgroup/sendmsg4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_udp4_sendmsg},
    {.kind = "cgroup/sendmsg6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_udp6_sendmsg},
    {.kind = "cgroup/sendmsg_unix", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_unix_sendmsg},
    {.kind = "cgroup/recvmsg4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_udp4_recvmsg},
    {.kind = "cgroup/recvmsg6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_udp6_recvmsg},
    {.kind = "cgroup/recvmsg_unix", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_unix_recvmsg},
    {.kind = "cgroup/getpeername4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet4_getpeername},
    {.kind = "cgroup/getpeername6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet6_getpeername},
    {.kind = "cgroup/getpeername_unix", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_unix_getpeername},
    {.kind = "cgroup/getsockname4", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet4_getsockname},
    {.kind = "cgroup/getsockname6", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_inet6_getsockname},
    {.kind = "cgroup/getsockname_unix", .type = ProgType::cgroup_sock_addr, .attach_type = AttachType::cgroup_unix_getsockname},
    {.kind = "cgroup/sysctl", .type = ProgType::cgroup_sysctl, .attach_type = AttachType::cgroup_sysctl},
    {.kind = "cgroup/getsockopt", .type = ProgType::cgroup_sockopt, .attach_type = AttachType::cgroup_getsockopt},
    {.kind = "cgroup/setsockopt", .type = ProgType::cgroup_sockopt, .attach_type = AttachType::cgroup_setsockopt},
    {.kind = "cgroup/dev", .type = ProgType::cgroup_device, .attach_type = AttachType::cgroup_device, .attach_type_optional = true},
    // Names that iproute2 and old samples gave, which libbpf never knew
    {.kind = "ingress", .type = ProgType::sched_cls, .instead = "tcx/ingress"},
    {.kind = "egress", .type = ProgType::sched_cls, .instead = "tcx/egress"},
    {.kind = "socket_filter", .type = ProgType::socket_filter, .instead = "socket"},
});
// clang-format on

constexpr bool kinds_are_unique() {
  for (std::size_t i = 0; i < kSections.size(); ++i)
    for (std::size_t j = i + 1; j < kSections.size(); ++j)
      if (kSections[i].kind == kSections[j].kind) return false;
  return true;
}
static_assert(kinds_are_unique());

/// What follows the kind, if `name` is of this row's form.
std::optional<std::string_view> target_of(const SectionRow& row, std::string_view name) {
  if (!name.starts_with(row.kind)) return std::nullopt;
  std::string_view rest = name.substr(row.kind.size());
  if (rest.empty()) return row.suffix == SectionSuffix::required ? std::nullopt : std::optional(rest);
  if (row.suffix == SectionSuffix::none || rest.front() != '/') return std::nullopt;
  return rest.substr(1);
}

}  // namespace

std::span<const SectionRow> section_table() { return kSections; }

std::optional<SectionMatch> match_section(std::string_view name) {
  SectionMatch match;
  if (name.starts_with('?')) match.autoload = false, name.remove_prefix(1);
  for (const SectionRow& row : kSections) {
    if (auto target = target_of(row, name)) {
      match.row = &row;
      match.target = *target;
      return match;
    }
  }
  return std::nullopt;
}

std::optional<SectionMatch> match_section_loosely(std::string_view name) {
  SectionMatch match;
  if (name.starts_with('?')) match.autoload = false, name.remove_prefix(1);
  for (const SectionRow& row : kSections)
    if (name.starts_with(row.kind) && (match.row == nullptr || row.kind.size() > match.row->kind.size())) match.row = &row;
  if (match.row == nullptr) return std::nullopt;
  return match;
}

std::string_view nearest_section(std::string_view name) {
  std::vector<std::string_view> kinds;
  for (const SectionRow& row : kSections) kinds.push_back(row.kind);
  return nearest(name, kinds);
}

}  // namespace espy::object
