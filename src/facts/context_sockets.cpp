// Contexts of programs that see sockets and cgroups: include/uapi/linux/bpf.h, and the rules of net/core/filter.c and
// kernel/bpf/cgroup.c.
#include "facts/context_layouts.hpp"

namespace espy::facts {
namespace {

using enum AccessSize;
using V = ContextValue;

constexpr std::uint32_t kAny4 = kAddress4 | kAddressSend4, kAny6 = kAddress6 | kAddressSend6;

// clang-format off
constexpr ContextFieldRow kSockFields[] = {
    {.name = "bound_dev_if", .offset = 0, .read = whole, .write = whole, .readers = kSockCreate, .writers = kSockCreate},
    {.name = "family", .offset = 4, .read = at_start},
    {.name = "type", .offset = 8, .read = at_start},
    {.name = "protocol", .offset = 12, .read = at_start},
    {.name = "mark", .offset = 16, .read = whole, .write = whole, .readers = kSockCreate, .writers = kSockCreate},
    {.name = "priority", .offset = 20, .read = whole, .write = whole, .readers = kSockCreate, .writers = kSockCreate},
    {.name = "src_ip4", .offset = 24, .readers = kSockPostBind4},
    {.name = "src_ip6", .offset = 28, .size = 16, .readers = kSockPostBind6},
    {.name = "src_port", .offset = 44, .read = at_start, .readers = kSockPostBind4 | kSockPostBind6},
    {.name = "dst_port", .offset = 48, .size = 2, .element = 2, .read = half_or_whole, .since = {5, 1}},
    {.name = "dst_ip4", .offset = 52, .since = {5, 1}},
    {.name = "dst_ip6", .offset = 56, .size = 16, .since = {5, 1}},
    {.name = "state", .offset = 72, .read = at_start, .since = {5, 1}},
    {.name = "rx_queue_mapping", .offset = 76, .read = at_start, .since = {5, 8}},
};

constexpr ContextFieldRow kSockCommonFields[] = {
    {.name = "bound_dev_if", .offset = 0, .read = whole},
    {.name = "family", .offset = 4, .read = at_start},
    {.name = "src_ip4", .offset = 24},
    {.name = "src_ip6", .offset = 28, .size = 16},
    {.name = "src_port", .offset = 44, .read = at_start},
    {.name = "dst_port", .offset = 48, .size = 2, .element = 2, .read = half_or_whole},
    {.name = "dst_ip4", .offset = 52},
    {.name = "dst_ip6", .offset = 56, .size = 16},
    {.name = "state", .offset = 72, .read = at_start},
    {.name = "rx_queue_mapping", .offset = 76, .read = at_start, .since = {5, 8}},
};

constexpr ContextFieldRow kTcpSockFields[] = {
    {.name = "snd_cwnd", .offset = 0, .read = whole},
    {.name = "srtt_us", .offset = 4, .read = whole},
    {.name = "rtt_min", .offset = 8, .read = whole},
    {.name = "snd_ssthresh", .offset = 12, .read = whole},
    {.name = "rcv_nxt", .offset = 16, .read = whole},
    {.name = "snd_nxt", .offset = 20, .read = whole},
    {.name = "snd_una", .offset = 24, .read = whole},
    {.name = "mss_cache", .offset = 28, .read = whole},
    {.name = "ecn_flags", .offset = 32, .read = whole},
    {.name = "rate_delivered", .offset = 36, .read = whole},
    {.name = "rate_interval_us", .offset = 40, .read = whole},
    {.name = "packets_out", .offset = 44, .read = whole},
    {.name = "retrans_out", .offset = 48, .read = whole},
    {.name = "total_retrans", .offset = 52, .read = whole},
    {.name = "segs_in", .offset = 56, .read = whole},
    {.name = "data_segs_in", .offset = 60, .read = whole},
    {.name = "segs_out", .offset = 64, .read = whole},
    {.name = "data_segs_out", .offset = 68, .read = whole},
    {.name = "lost_out", .offset = 72, .read = whole},
    {.name = "sacked_out", .offset = 76, .read = whole},
    {.name = "bytes_received", .offset = 80, .size = 8, .element = 8, .read = whole},
    {.name = "bytes_acked", .offset = 88, .size = 8, .element = 8, .read = whole},
    {.name = "dsack_dups", .offset = 96, .read = whole, .since = {5, 3}},
    {.name = "delivered", .offset = 100, .read = whole, .since = {5, 3}},
    {.name = "delivered_ce", .offset = 104, .read = whole, .since = {5, 3}},
    {.name = "icsk_retransmits", .offset = 108, .read = whole, .since = {5, 3}},
};

constexpr ContextFieldRow kXdpSockFields[] = {{.name = "queue_id", .offset = 0, .read = whole, .since = {5, 3}}};

constexpr ContextFieldRow kSockAddrFields[] = {
    {.name = "user_family", .offset = 0, .read = whole},
    {.name = "user_ip4", .offset = 4, .write = whole, .readers = kAny4, .writers = kAny4},
    {.name = "user_ip6", .offset = 8, .size = 16, .read = narrow_or_wide, .write = whole_or_wide, .readers = kAny6, .writers = kAny6},
    {.name = "user_port", .offset = 24, .write = whole},
    {.name = "family", .offset = 28, .read = whole},
    {.name = "type", .offset = 32, .read = whole},
    {.name = "protocol", .offset = 36, .read = whole},
    {.name = "msg_src_ip4", .offset = 40, .write = whole, .readers = kAddressSend4, .writers = kAddressSend4},
    {.name = "msg_src_ip6", .offset = 44, .size = 16, .read = narrow_or_wide, .write = whole_or_wide, .readers = kAddressSend6, .writers = kAddressSend6},
    {.name = "sk", .offset = 64, .size = 8, .element = 8, .read = whole, .value = V::socket, .since = {5, 3}},
};

constexpr ContextFieldRow kSockOpsFields[] = {
    {.name = "op", .offset = 0, .read = whole},
    {.name = "reply", .offset = 4, .read = whole, .write = whole},
    {.name = "replylong", .offset = 8, .size = 12, .read = whole},
    {.name = "family", .offset = 20, .read = whole},
    {.name = "remote_ip4", .offset = 24, .read = whole},
    {.name = "local_ip4", .offset = 28, .read = whole},
    {.name = "remote_ip6", .offset = 32, .size = 16, .read = whole},
    {.name = "local_ip6", .offset = 48, .size = 16, .read = whole},
    {.name = "remote_port", .offset = 64, .read = whole},
    {.name = "local_port", .offset = 68, .read = whole},
    {.name = "is_fullsock", .offset = 72, .read = whole},
    {.name = "snd_cwnd", .offset = 76, .read = whole},
    {.name = "srtt_us", .offset = 80, .read = whole},
    {.name = "bpf_sock_ops_cb_flags", .offset = 84, .read = whole},
    {.name = "state", .offset = 88, .read = whole},
    {.name = "rtt_min", .offset = 92, .read = whole},
    {.name = "snd_ssthresh", .offset = 96, .read = whole},
    {.name = "rcv_nxt", .offset = 100, .read = whole},
    {.name = "snd_nxt", .offset = 104, .read = whole},
    {.name = "snd_una", .offset = 108, .read = whole},
    {.name = "mss_cache", .offset = 112, .read = whole},
    {.name = "ecn_flags", .offset = 116, .read = whole},
    {.name = "rate_delivered", .offset = 120, .read = whole},
    {.name = "rate_interval_us", .offset = 124, .read = whole},
    {.name = "packets_out", .offset = 128, .read = whole},
    {.name = "retrans_out", .offset = 132, .read = whole},
    {.name = "total_retrans", .offset = 136, .read = whole},
    {.name = "segs_in", .offset = 140, .read = whole},
    {.name = "data_segs_in", .offset = 144, .read = whole},
    {.name = "segs_out", .offset = 148, .read = whole},
    {.name = "data_segs_out", .offset = 152, .read = whole},
    {.name = "lost_out", .offset = 156, .read = whole},
    {.name = "sacked_out", .offset = 160, .read = whole},
    {.name = "sk_txhash", .offset = 164, .read = whole, .write = whole},
    {.name = "bytes_received", .offset = 168, .size = 8, .element = 8, .read = whole},
    {.name = "bytes_acked", .offset = 176, .size = 8, .element = 8, .read = whole},
    {.name = "sk", .offset = 184, .size = 8, .element = 8, .read = whole, .value = V::socket_or_null, .since = {5, 3}},
    {.name = "skb_data", .offset = 192, .size = 8, .element = 8, .read = whole, .value = V::packet, .since = {5, 10}},
    {.name = "skb_data_end", .offset = 200, .size = 8, .element = 8, .read = whole, .value = V::packet_end, .since = {5, 10}},
    {.name = "skb_len", .offset = 208, .read = whole, .since = {5, 10}},
    {.name = "skb_tcp_flags", .offset = 212, .read = at_start, .since = {5, 10}},
    {.name = "skb_hwtstamp", .offset = 216, .size = 8, .element = 8, .read = whole, .since = {6, 2}},
};

constexpr ContextFieldRow kSockoptFields[] = {
    {.name = "sk", .offset = 0, .size = 8, .element = 8, .read = whole, .value = V::socket},
    {.name = "optval", .offset = 8, .size = 8, .element = 8, .read = whole, .value = V::packet},
    {.name = "optval_end", .offset = 16, .size = 8, .element = 8, .read = whole, .value = V::packet_end},
    {.name = "level", .offset = 24, .read = whole, .write = whole, .writers = kSetsockopt},
    {.name = "optname", .offset = 28, .read = whole, .write = whole, .writers = kSetsockopt},
    {.name = "optlen", .offset = 32, .read = whole, .write = whole},
    {.name = "retval", .offset = 36, .read = whole, .write = whole, .readers = kGetsockopt, .writers = kGetsockopt},
};

constexpr ContextFieldRow kSkLookupFields[] = {
    {.name = "sk", .offset = 0, .size = 8, .element = 8, .read = whole, .value = V::socket_or_null},
    {.name = "family", .offset = 8},
    {.name = "protocol", .offset = 12},
    {.name = "remote_ip4", .offset = 16},
    {.name = "remote_ip6", .offset = 20, .size = 16},
    {.name = "remote_port", .offset = 36, .size = 2, .element = 2, .read = half_or_whole},
    {.name = "padding", .offset = 38, .size = 2, .element = 2},
    {.name = "local_ip4", .offset = 40},
    {.name = "local_ip6", .offset = 44, .size = 16},
    {.name = "local_port", .offset = 60},
    {.name = "ingress_ifindex", .offset = 64, .since = {5, 17}},
};

constexpr ContextFieldRow kSysctlFields[] = {
    {.name = "write", .offset = 0},
    {.name = "file_pos", .offset = 4, .write = whole},
};

constexpr ContextFieldRow kCgroupDeviceFields[] = {
    {.name = "access_type", .offset = 0},
    {.name = "major", .offset = 4, .read = whole},
    {.name = "minor", .offset = 8, .read = whole},
};
// clang-format on

}  // namespace

constinit const ContextLayout kSock{.name = "bpf_sock", .size = 80, .fields = kSockFields};
constinit const ContextLayout kSockCommon{.name = "bpf_sock", .size = 80, .fields = kSockCommonFields};
constinit const ContextLayout kTcpSock{.name = "bpf_tcp_sock", .size = 112, .fields = kTcpSockFields};
constinit const ContextLayout kXdpSock{.name = "bpf_xdp_sock", .size = 4, .fields = kXdpSockFields};
constinit const ContextLayout kSockAddr{.name = "bpf_sock_addr", .size = 72, .fields = kSockAddrFields};
constinit const ContextLayout kSockOps{.name = "bpf_sock_ops", .size = 224, .fields = kSockOpsFields};
constinit const ContextLayout kSockopt{.name = "bpf_sockopt", .size = 40, .fields = kSockoptFields};
constinit const ContextLayout kSkLookup{.name = "bpf_sk_lookup", .size = 72, .fields = kSkLookupFields};
constinit const ContextLayout kSysctl{.name = "bpf_sysctl", .size = 8, .fields = kSysctlFields};
constinit const ContextLayout kCgroupDevice{.name = "bpf_cgroup_dev_ctx", .size = 12, .fields = kCgroupDeviceFields};

}  // namespace espy::facts
