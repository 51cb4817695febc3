// Program types: enum bpf_prog_type.
#include <array>

#include "facts/lookup.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

constexpr auto kProgTypes = std::to_array<ProgTypeRow>({
    {.type = ProgType::unspec, .name = "unspec", .since = {3, 18},
     .what = "no type: the kernel refuses to load it"},
    {.type = ProgType::socket_filter, .name = "socket_filter", .since = {3, 19},
     .what = "a packet on a socket; returns how many bytes of it to keep"},
    {.type = ProgType::kprobe, .name = "kprobe", .since = {4, 1},
     .what = "registers at a kernel or user function's entry, return, or an instruction in it (kprobe, uprobe, USDT)"},
    {.type = ProgType::sched_cls, .name = "sched_cls", .since = {4, 1},
     .what = "a packet at an interface's traffic control point (clsact, tcx, netkit); passes, drops, redirects, rewrites it"},
    {.type = ProgType::sched_act, .name = "sched_act", .since = {4, 1},
     .what = "a packet at a traffic control action"},
    {.type = ProgType::tracepoint, .name = "tracepoint", .since = {4, 7},
     .what = "the fields of a kernel tracepoint, as tracefs shows its format"},
    {.type = ProgType::xdp, .name = "xdp", .since = {4, 8},
     .what = "a packet in the driver, before the network stack; passes, drops, transmits, redirects it"},
    {.type = ProgType::perf_event, .name = "perf_event", .since = {4, 9},
     .what = "registers and sample period when a performance event overflows"},
    {.type = ProgType::cgroup_skb, .name = "cgroup_skb", .since = {4, 10},
     .what = "a packet that enters or leaves a cgroup's sockets; allows or drops it"},
    {.type = ProgType::cgroup_sock, .name = "cgroup_sock", .since = {4, 10},
     .what = "a socket that a cgroup's process creates, binds or releases; allows or denies it"},
    {.type = ProgType::lwt_in, .name = "lwt_in", .since = {4, 10},
     .what = "a packet that arrives for a route with lightweight tunnel encapsulation"},
    {.type = ProgType::lwt_out, .name = "lwt_out", .since = {4, 10},
     .what = "a packet that leaves by a route with lightweight tunnel encapsulation"},
    {.type = ProgType::lwt_xmit, .name = "lwt_xmit", .since = {4, 10},
     .what = "a packet about to be transmitted by such a route; may be redirected and rewritten"},
    {.type = ProgType::sock_ops, .name = "sock_ops", .since = {4, 13},
     .what = "TCP connection events of a cgroup's sockets; sets their parameters"},
    {.type = ProgType::sk_skb, .name = "sk_skb", .since = {4, 14},
     .what = "data that arrives on a socket of a sockmap; parses messages, redirects them"},
    {.type = ProgType::cgroup_device, .name = "cgroup_device", .since = {4, 15},
     .what = "a cgroup's access to a device node; allows or denies it"},
    {.type = ProgType::sk_msg, .name = "sk_msg", .since = {4, 17},
     .what = "data that a process sends on a socket of a sockmap; passes, drops, redirects it"},
    {.type = ProgType::raw_tracepoint, .name = "raw_tracepoint", .since = {4, 17},
     .what = "the raw arguments of a kernel tracepoint"},
    {.type = ProgType::cgroup_sock_addr, .name = "cgroup_sock_addr", .since = {4, 17},
     .what = "the address of bind, connect, sendmsg, recvmsg, getpeername, getsockname; may rewrite it"},
    {.type = ProgType::lwt_seg6local, .name = "lwt_seg6local", .since = {4, 18},
     .what = "a packet at an IPv6 segment routing endpoint"},
    {.type = ProgType::lirc_mode2, .name = "lirc_mode2", .since = {4, 18},
     .what = "raw infrared pulses; decodes them to key presses"},
    {.type = ProgType::sk_reuseport, .name = "sk_reuseport", .since = {4, 19},
     .what = "a packet or connection for a SO_REUSEPORT group; selects the socket that gets it"},
    {.type = ProgType::flow_dissector, .name = "flow_dissector", .since = {4, 20},
     .what = "a packet whose flow keys are to be found"},
    {.type = ProgType::cgroup_sysctl, .name = "cgroup_sysctl", .since = {5, 2},
     .what = "a cgroup's read or write of a sysctl; allows, denies, overrides it"},
    {.type = ProgType::raw_tracepoint_writable, .name = "raw_tracepoint_writable", .since = {5, 2},
     .what = "the raw arguments of a tracepoint that lets its first one be written"},
    {.type = ProgType::cgroup_sockopt, .name = "cgroup_sockopt", .since = {5, 3},
     .what = "a cgroup's getsockopt or setsockopt; allows, denies, overrides it"},
    {.type = ProgType::tracing, .name = "tracing", .since = {5, 5},
     .what = "typed arguments of a kernel or BPF function (fentry, fexit, fmod_ret), a tracepoint (tp_btf), an iterator"},
    {.type = ProgType::struct_ops, .name = "struct_ops", .since = {5, 6},
     .what = "one operation of a kernel interface that BPF implements: congestion control, scheduler, HID, queueing"},
    {.type = ProgType::ext, .name = "ext", .since = {5, 6},
     .what = "a function that replaces a global function of another program (freplace)"},
    {.type = ProgType::lsm, .name = "lsm", .since = {5, 7},
     .what = "typed arguments of a Linux security module hook; allows or denies the operation"},
    {.type = ProgType::sk_lookup, .name = "sk_lookup", .since = {5, 9},
     .what = "an incoming connection or packet for which a socket is looked up; selects the socket"},
    {.type = ProgType::syscall, .name = "syscall", .since = {5, 14},
     .what = "memory given by who runs it; may call bpf(2) and sleep; run on demand only"},
    {.type = ProgType::netfilter, .name = "netfilter", .since = {6, 4},
     .what = "a packet at a netfilter hook; accepts or drops it"},
});
// clang-format on
static_assert(kProgTypes.size() == std::to_underlying(ProgType::netfilter) + 1U);
static_assert(rows_are_in_order(kProgTypes, [](const ProgTypeRow& row) { return row.type; }));
static_assert(names_are_unique(kProgTypes));

}  // namespace

std::span<const ProgTypeRow> prog_types() { return kProgTypes; }
const ProgTypeRow* find(ProgType type) { return row_at(kProgTypes, std::to_underlying(type)); }
const ProgTypeRow* find_prog_type(std::string_view name) { return row_named(kProgTypes, name, "BPF_PROG_TYPE_"); }
std::string to_string(ProgType type) { return name_or_number(find(type), "program type", std::to_underlying(type)); }

}  // namespace espy::facts
