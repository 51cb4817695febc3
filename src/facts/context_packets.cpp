// Contexts of programs that see packets or plain kernel events: include/uapi/linux/bpf.h, and the rules of net/core/filter.c.
#include "facts/context_layouts.hpp"

namespace espy::facts {
namespace {

using enum AccessSize;
using V = ContextValue;

constexpr std::uint32_t kAll = kSocketFilter | kTrafficControl | kCgroupSkb | kTunnel | kStream;  // but not flow dissectors
constexpr std::uint32_t kDirect = kTrafficControl | kCgroupSkb | kTunnel | kStream;    // reach into packets without helpers
constexpr std::uint32_t kWithSocket = kCgroupSkb | kStream;                            // see the addresses of a socket

// clang-format off
constexpr ContextFieldRow kSkbFields[] = {
    {.name = "len", .offset = 0, .readers = kAll},
    {.name = "pkt_type", .offset = 4, .readers = kAll},
    {.name = "mark", .offset = 8, .write = whole, .readers = kAll & ~kStream, .writers = kTrafficControl | kCgroupSkb | kTunnel},
    {.name = "queue_mapping", .offset = 12, .write = whole, .readers = kAll, .writers = kTrafficControl},
    {.name = "protocol", .offset = 16, .readers = kAll},
    {.name = "vlan_present", .offset = 20, .readers = kAll},
    {.name = "vlan_tci", .offset = 24, .readers = kAll},
    {.name = "vlan_proto", .offset = 28, .readers = kAll},
    {.name = "priority", .offset = 32, .write = whole, .readers = kAll, .writers = kDirect},
    {.name = "ingress_ifindex", .offset = 36, .readers = kAll},
    {.name = "ifindex", .offset = 40, .readers = kAll},
    {.name = "tc_index", .offset = 44, .write = whole, .readers = kAll, .writers = kTrafficControl | kStream},
    {.name = "cb", .offset = 48, .size = 20, .read = any, .write = any, .readers = kAll, .writers = kAll & ~kStream},
    {.name = "hash", .offset = 68, .readers = kAll},
    {.name = "tc_classid", .offset = 72, .write = whole, .readers = kTrafficControl, .writers = kTrafficControl},
    {.name = "data", .offset = 76, .read = whole, .readers = kDirect | kFlowDissector, .value = V::packet, .privileged = kCgroupSkb},
    {.name = "data_end", .offset = 80, .read = whole, .readers = kDirect | kFlowDissector, .value = V::packet_end, .privileged = kCgroupSkb},
    {.name = "napi_id", .offset = 84, .readers = kAll},
    {.name = "family", .offset = 88, .readers = kWithSocket},
    {.name = "remote_ip4", .offset = 92, .read = whole, .readers = kWithSocket},
    {.name = "local_ip4", .offset = 96, .read = whole, .readers = kWithSocket},
    {.name = "remote_ip6", .offset = 100, .size = 16, .read = whole, .readers = kWithSocket},
    {.name = "local_ip6", .offset = 116, .size = 16, .read = whole, .readers = kWithSocket},
    {.name = "remote_port", .offset = 132, .readers = kWithSocket},
    {.name = "local_port", .offset = 136, .readers = kWithSocket},
    {.name = "data_meta", .offset = 140, .read = whole, .readers = kTrafficControl, .value = V::packet_meta},
    {.name = "flow_keys", .offset = 144, .size = 8, .element = 8, .read = whole, .readers = kFlowDissector, .value = V::flow_keys},
    {.name = "tstamp", .offset = 152, .size = 8, .element = 8, .read = whole, .write = whole,
     .readers = kTrafficControl | kCgroupSkb, .writers = kTrafficControl | kCgroupSkb, .since = {5, 0}},
    {.name = "wire_len", .offset = 160, .readers = kTrafficControl, .since = {5, 0}},
    {.name = "gso_segs", .offset = 164, .readers = kAll, .since = {5, 1}},
    {.name = "sk", .offset = 168, .size = 8, .element = 8, .read = whole, .readers = kAll, .value = V::sock_common_or_null, .since = {5, 1}},
    {.name = "gso_size", .offset = 176, .readers = kAll, .since = {5, 7}},
    {.name = "tstamp_type", .offset = 180, .size = 1, .element = 1, .read = whole, .readers = kTrafficControl, .since = {5, 18}},
    {.name = "hwtstamp", .offset = 184, .size = 8, .element = 8, .read = whole, .readers = kTrafficControl | kCgroupSkb, .since = {5, 16}},
};

constexpr ContextFieldRow kXdpFields[] = {
    {.name = "data", .offset = 0, .read = whole, .value = V::packet},
    {.name = "data_end", .offset = 4, .read = whole, .value = V::packet_end},
    {.name = "data_meta", .offset = 8, .read = whole, .value = V::packet_meta},
    {.name = "ingress_ifindex", .offset = 12, .read = whole},
    {.name = "rx_queue_index", .offset = 16, .read = whole},
    {.name = "egress_ifindex", .offset = 20, .read = whole, .readers = kXdpDevmap, .since = {5, 8}},
};

constexpr ContextFieldRow kReuseportFields[] = {
    {.name = "data", .offset = 0, .size = 8, .element = 8, .read = whole, .value = V::packet},
    {.name = "data_end", .offset = 8, .size = 8, .element = 8, .read = whole, .value = V::packet_end},
    {.name = "len", .offset = 16},
    {.name = "eth_protocol", .offset = 20, .read = at_least_two},
    {.name = "ip_protocol", .offset = 24},
    {.name = "bind_inany", .offset = 28},
    {.name = "hash", .offset = 32, .read = whole},
    {.name = "sk", .offset = 40, .size = 8, .element = 8, .read = whole, .value = V::socket, .since = {5, 14}},
    {.name = "migrating_sk", .offset = 48, .size = 8, .element = 8, .read = whole, .value = V::sock_common_or_null, .since = {5, 14}},
};

constexpr ContextFieldRow kSkMsgFields[] = {
    {.name = "data", .offset = 0, .size = 8, .element = 8, .read = whole, .value = V::packet},
    {.name = "data_end", .offset = 8, .size = 8, .element = 8, .read = whole, .value = V::packet_end},
    {.name = "family", .offset = 16, .read = whole},
    {.name = "remote_ip4", .offset = 20, .read = whole},
    {.name = "local_ip4", .offset = 24, .read = whole},
    {.name = "remote_ip6", .offset = 28, .size = 16, .read = whole},
    {.name = "local_ip6", .offset = 44, .size = 16, .read = whole},
    {.name = "remote_port", .offset = 60, .read = whole},
    {.name = "local_port", .offset = 64, .read = whole},
    {.name = "size", .offset = 68, .read = whole, .since = {5, 0}},
    {.name = "sk", .offset = 72, .size = 8, .element = 8, .read = whole, .value = V::socket, .since = {5, 8}},
};

constexpr ContextFieldRow kNetfilterFields[] = {
    {.name = "state", .offset = 0, .size = 8, .element = 8, .read = whole, .value = V::btf, .type = "nf_hook_state"},
    {.name = "skb", .offset = 8, .size = 8, .element = 8, .read = whole, .value = V::btf, .type = "sk_buff"},
};

constexpr ContextFieldRow kInfraredFields[] = {{.name = "sample", .offset = 0, .read = whole}};

constexpr ContextFieldRow kPerfEventFields[] = {
    {.name = "regs", .offset = 0, .size = 168, .element = 8, .read = whole},
    {.name = "sample_period", .offset = 168, .size = 8, .element = 8},
    {.name = "addr", .offset = 176, .size = 8, .element = 8},
};
// clang-format on

}  // namespace

constinit const ContextLayout kSkb{.name = "__sk_buff", .size = 192, .fields = kSkbFields};
constinit const ContextLayout kXdp{.name = "xdp_md", .size = 24, .fields = kXdpFields};
constinit const ContextLayout kReuseport{.name = "sk_reuseport_md", .size = 56, .fields = kReuseportFields};
constinit const ContextLayout kSkMsg{.name = "sk_msg_md", .size = 80, .fields = kSkMsgFields};
constinit const ContextLayout kNetfilter{.name = "bpf_nf_ctx", .size = 16, .fields = kNetfilterFields};
constinit const ContextLayout kInfrared{.name = "the infrared sample", .size = 4, .fields = kInfraredFields};
constinit const ContextLayout kPerfEvent{.name = "bpf_perf_event_data", .size = 184, .fields = kPerfEventFields};

}  // namespace espy::facts
