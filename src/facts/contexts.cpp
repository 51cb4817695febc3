// Who sees which context, and what an access of one gives. The layouts stand in context_packets.cpp (packets) and
// context_sockets.cpp (sockets and the rest).
#include "facts/contexts.hpp"

#include <algorithm>

#include "facts/context_layouts.hpp"

namespace espy::facts {
namespace {

using enum ProgType;
using A = AttachType;

constexpr std::uint32_t kWord = 8;
constexpr std::uint32_t kRegisters = 21 * kWord;     // struct pt_regs of x86-64
constexpr std::uint32_t kArguments = 12 * kWord;     // MAX_BPF_FUNC_ARGS
constexpr std::uint32_t kTraceRecord = 8192;         // PERF_MAX_TRACE_SIZE
constexpr KernelVersion kNever{.major = 0xffff};

constexpr ContextRow fields(ProgType type, const ContextLayout& layout, std::uint32_t user = 1, AttachTypes attach = {}) {
  return {.type = type, .attach = attach, .kind = ContextKind::fields, .layout = &layout, .user = user};
}
constexpr ContextRow bytes(ProgType type, std::string_view name, std::uint32_t first, std::uint32_t end, KernelVersion writable = kNever) {
  return {.type = type, .kind = ContextKind::bytes, .first = first, .end = end, .writable = writable, .name = name};
}
constexpr ContextRow arguments(ProgType type) {
  return {.type = type, .kind = ContextKind::arguments, .end = kArguments, .name = "the arguments"};
}

// The first row that fits counts.
constexpr ContextRow kContexts[] = {
    fields(socket_filter, kSkb, kSocketFilter),
    bytes(kprobe, "struct pt_regs", 0, kRegisters, {6, 19}),
    fields(sched_cls, kSkb, kTrafficControl),
    fields(sched_act, kSkb, kTrafficControl),
    bytes(tracepoint, "the tracepoint's record", kWord, kTraceRecord),
    fields(xdp, kXdp, kXdpDevmap, {A::xdp_devmap}),
    fields(xdp, kXdp, kXdpOther),
    fields(perf_event, kPerfEvent),
    fields(cgroup_skb, kSkb, kCgroupSkb),
    fields(cgroup_sock, kSock, kSockPostBind4, {A::cgroup_inet4_post_bind}),
    fields(cgroup_sock, kSock, kSockPostBind6, {A::cgroup_inet6_post_bind}),
    fields(cgroup_sock, kSock, kSockCreate),
    fields(lwt_in, kSkb, kTunnel),
    fields(lwt_out, kSkb, kTunnel),
    fields(lwt_xmit, kSkb, kTunnel),
    fields(lwt_seg6local, kSkb, kTunnel),
    fields(sock_ops, kSockOps),
    fields(sk_skb, kSkb, kStream),
    fields(cgroup_device, kCgroupDevice),
    fields(sk_msg, kSkMsg),
    bytes(raw_tracepoint, "the raw arguments", 0, kArguments),
    fields(cgroup_sock_addr, kSockAddr, kAddressSend4, {A::cgroup_udp4_sendmsg}),
    fields(cgroup_sock_addr, kSockAddr, kAddressSend6, {A::cgroup_udp6_sendmsg}),
    fields(cgroup_sock_addr, kSockAddr, kAddress4,
           {A::cgroup_inet4_bind, A::cgroup_inet4_connect, A::cgroup_inet4_getpeername, A::cgroup_inet4_getsockname, A::cgroup_udp4_recvmsg}),
    fields(cgroup_sock_addr, kSockAddr, kAddress6,
           {A::cgroup_inet6_bind, A::cgroup_inet6_connect, A::cgroup_inet6_getpeername, A::cgroup_inet6_getsockname, A::cgroup_udp6_recvmsg}),
    fields(cgroup_sock_addr, kSockAddr, kAddressUnix),
    fields(lirc_mode2, kInfrared),
    fields(sk_reuseport, kReuseport),
    fields(flow_dissector, kSkb, kFlowDissector),
    fields(cgroup_sysctl, kSysctl),
    bytes(raw_tracepoint_writable, "the raw arguments", 0, kArguments),  // the first one is the buffer
    fields(cgroup_sockopt, kSockopt, kGetsockopt, {A::cgroup_getsockopt}),
    fields(cgroup_sockopt, kSockopt, kSetsockopt),
    arguments(tracing),
    arguments(struct_ops),
    arguments(lsm),
    fields(sk_lookup, kSkLookup),
    bytes(syscall, "the syscall program's context", 0, 0xffff, {5, 14}),
    fields(netfilter, kNetfilter),
};

/// Do `size` bytes at `at` of an element of `element` bytes make a part that `rule` permits? `at` counts from the field.
bool fits(const ContextFieldRow& field, AccessSize rule, std::uint32_t at, std::uint32_t size) {
  const bool aligned = (field.offset + at) % size == 0;
  if (!aligned || at + size > std::max<std::uint32_t>(field.size, rule == AccessSize::half_or_whole ? 4 : 0)) return false;
  const bool whole = size == field.element && at % field.element == 0;
  const bool narrow = size <= field.element;
  switch (rule) {
    case AccessSize::none: return false;
    case AccessSize::whole: return whole;
    case AccessSize::narrow: return narrow;
    case AccessSize::at_start: return narrow && at == 0;
    case AccessSize::narrow_or_wide: return narrow || size == 8;
    case AccessSize::whole_or_wide: return whole || size == 8;
    case AccessSize::at_least_two: return narrow && size >= 2;
    case AccessSize::half_or_whole: return narrow || (size == 4 && at == 0);
    case AccessSize::any: return true;
  }
  return false;
}

}  // namespace

std::span<const ContextRow> contexts() { return kContexts; }

const ContextRow* find_context(ProgType type, std::optional<AttachType> attach) {
  auto found = std::ranges::find_if(kContexts, [&](const ContextRow& row) {
    return row.type == type && (row.attach.empty() || (attach && row.attach.has(*attach)));
  });
  return found == std::end(kContexts) ? nullptr : found;
}

const ContextFieldRow* field_at(const ContextLayout& layout, std::int64_t offset) {
  auto found = std::ranges::find_if(layout.fields, [offset](const ContextFieldRow& field) {
    return offset >= field.offset && offset < std::int64_t{field.offset} + field.size;
  });
  return found == layout.fields.end() ? nullptr : &*found;
}

const ContextFieldRow* allowed_access(const ContextLayout& layout, std::uint32_t user, const AccessQuery& query) {
  const ContextFieldRow* field = field_at(layout, query.offset);
  if (field == nullptr || query.size == 0 || field->since > query.version) return nullptr;
  const std::uint32_t may = user == kPointerUser ? (query.write ? 0 : ~0U) : (query.write ? field->writers : field->readers);
  if ((may & user) == 0) return nullptr;
  if (!query.privileged && (field->privileged & user) != 0) return nullptr;
  if (query.sign_extends && field->value != ContextValue::scalar) return nullptr;
  const auto at = static_cast<std::uint32_t>(query.offset - field->offset);
  return fits(*field, query.write ? field->write : field->read, at, query.size) ? field : nullptr;
}

const ContextLayout& sock_layout() { return kSock; }
const ContextLayout& sock_common_layout() { return kSockCommon; }
const ContextLayout& tcp_sock_layout() { return kTcpSock; }
const ContextLayout& xdp_sock_layout() { return kXdpSock; }

}  // namespace espy::facts
