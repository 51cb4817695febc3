// The rules by program type: check_return_code, may_access_direct_pkt_data, can_be_sleepable and their kin in the kernel's
// verifier, as tables.
#include "facts/prog_rules.hpp"

#include <algorithm>
#include <array>

#include "facts/lookup.hpp"

namespace espy::facts {
namespace {

using enum ProgType;
using A = AttachType;

constexpr ReturnRange kNothing{0, 0}, kBool{0, 1}, kOne{1, 1}, kError{-4095, 0, true};

// The first row that fits counts; without one any number will do.
// clang-format off
constexpr ReturnRuleRow kReturnRules[] = {
    {.type = cgroup_sock_addr, .attach = {A::cgroup_udp4_recvmsg, A::cgroup_udp6_recvmsg, A::cgroup_unix_recvmsg,
                                          A::cgroup_inet4_getpeername, A::cgroup_inet6_getpeername, A::cgroup_unix_getpeername,
                                          A::cgroup_inet4_getsockname, A::cgroup_inet6_getsockname, A::cgroup_unix_getsockname}, .range = kOne},
    {.type = cgroup_sock_addr, .attach = {A::cgroup_inet4_bind, A::cgroup_inet6_bind}, .range = {0, 3}, .since = {5, 12}},
    {.type = cgroup_sock_addr, .range = kBool},
    {.type = cgroup_skb, .attach = {A::cgroup_inet_egress}, .range = {0, 3}},
    {.type = cgroup_skb, .range = kBool},
    {.type = cgroup_sock, .range = kBool},
    {.type = sock_ops, .range = kBool},
    {.type = cgroup_device, .range = kBool},
    {.type = cgroup_sysctl, .range = kBool},
    {.type = cgroup_sockopt, .range = kBool},
    {.type = tracing, .attach = {A::trace_fentry, A::trace_fexit, A::trace_fentry_multi, A::trace_fexit_multi}, .range = kNothing},
    {.type = tracing, .attach = {A::trace_fsession, A::trace_fsession_multi}, .range = kBool},
    {.type = tracing, .attach = {A::trace_iter}, .range = kBool},
    {.type = kprobe, .attach = {A::trace_kprobe_session, A::trace_uprobe_session}, .range = kBool, .since = {6, 10}},
    {.type = sk_lookup, .range = kBool},
    {.type = netfilter, .range = kBool},
    {.type = lsm, .attach = {A::lsm_cgroup}, .range = kOne, .hook = HookKind::returns_nothing},
    {.type = lsm, .attach = {A::lsm_cgroup}, .range = kBool},
    {.type = lsm, .since = {6, 12}, .hook = HookKind::returns_nothing, .free = true},
    {.type = lsm, .range = {0, 1, true}, .since = {6, 12}, .hook = HookKind::returns_bool},
    {.type = lsm, .range = kError, .since = {6, 12}, .hook = HookKind::returns_error},
};

constexpr std::string_view kBoolHooks[] = {"audit_rule_known", "inode_xattr_skipcap", "xfrm_state_pol_flow_match"};

constexpr KernelVersion kAlways{};
constexpr KernelVersion kLocksInTracing{6, 1};   // the table of who may call bpf_spin_lock knows more

constexpr auto kTraits = std::to_array<ProgTraitsRow>({
    {.type = unspec},
    {.type = socket_filter, .ld_abs = true, .unprivileged = true, .spin_lock = kNoVersion},
    {.type = kprobe, .tracing = true, .sleepable = {6, 0}, .spin_lock = kLocksInTracing},
    {.type = sched_cls, .writes_packet = true, .packet_to_helpers = true, .ld_abs = true},
    {.type = sched_act, .writes_packet = true, .packet_to_helpers = true, .ld_abs = true},
    {.type = tracepoint, .tracing = true, .spin_lock = kLocksInTracing},
    {.type = xdp, .writes_packet = true, .packet_to_helpers = true},
    {.type = perf_event, .tracing = true, .spin_lock = kLocksInTracing},
    {.type = cgroup_skb, .packet_to_helpers = true, .unprivileged = true},
    {.type = cgroup_sock},
    {.type = lwt_in, .packet_to_helpers = true},
    {.type = lwt_out, .packet_to_helpers = true},
    {.type = lwt_xmit, .writes_packet = true, .packet_to_helpers = true},
    {.type = sock_ops},
    {.type = sk_skb, .writes_packet = true, .packet_to_helpers = true},
    {.type = cgroup_device},
    {.type = sk_msg, .writes_packet = true, .packet_to_helpers = true},
    {.type = raw_tracepoint, .tracing = true, .spin_lock = kLocksInTracing},
    {.type = cgroup_sock_addr},
    {.type = lwt_seg6local, .packet_to_helpers = true},
    {.type = lirc_mode2},
    {.type = sk_reuseport, .packet_to_helpers = true},
    {.type = flow_dissector, .packet_to_helpers = true},
    {.type = cgroup_sysctl},
    {.type = raw_tracepoint_writable, .tracing = true, .spin_lock = kLocksInTracing},
    {.type = cgroup_sockopt, .writes_packet = true, .packet_to_helpers = true, .packet_to_any_helper = true},
    {.type = tracing, .needs_attach_btf = true, .sleepable = {5, 10},
     .sleepable_attach = {A::trace_fentry, A::trace_fexit, A::modify_return, A::trace_iter, A::trace_fsession}, .spin_lock = kLocksInTracing},
    {.type = struct_ops, .needs_attach_btf = true, .sleepable = {6, 3}},
    {.type = ext, .needs_attach_btf = true},
    {.type = lsm, .needs_attach_btf = true, .sleepable = {5, 10}, .spin_lock = kLocksInTracing},
    {.type = sk_lookup},
    {.type = syscall, .sleepable = kAlways, .always_sleepable = true},
    {.type = netfilter},
});
// clang-format on
static_assert(rows_are_in_order(kTraits, [](const ProgTraitsRow& row) { return row.type; }));

constexpr KernelVersion kSleepableIterators{5, 18};

}  // namespace

std::span<const ReturnRuleRow> return_rules() { return kReturnRules; }

std::optional<ReturnRange> return_range(ProgType type, std::optional<AttachType> attach, KernelVersion version, HookKind hook) {
  auto found = std::ranges::find_if(kReturnRules, [&](const ReturnRuleRow& row) {
    return row.type == type && row.since <= version && version < row.until &&
           (row.attach.empty() || (attach && row.attach.has(*attach))) && (row.hook == HookKind::any || row.hook == hook);
  });
  if (found == std::end(kReturnRules) || found->free) return std::nullopt;
  return found->range;
}

bool is_bool_hook(std::string_view hook) { return std::ranges::find(kBoolHooks, hook) != std::end(kBoolHooks); }

const ProgTraitsRow& traits_of(ProgType type) {
  const ProgTraitsRow* row = row_at(kTraits, std::to_underlying(type));
  return row != nullptr ? *row : kTraits.front();
}

bool may_sleep(ProgType type, std::optional<AttachType> attach, KernelVersion version) {
  const ProgTraitsRow& row = traits_of(type);
  if (version < row.sleepable) return false;
  if (type == tracing && attach == A::trace_iter && version < kSleepableIterators) return false;
  return row.sleepable_attach.empty() || (attach && row.sleepable_attach.has(*attach));
}

}  // namespace espy::facts
