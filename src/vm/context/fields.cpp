#include "vm/context/fields.hpp"

#include <algorithm>

namespace espy::vm {
namespace {

constexpr auto kData = static_cast<std::uint16_t>(offsetof(PacketContext, data));
constexpr auto kDataEnd = static_cast<std::uint16_t>(offsetof(PacketContext, data_end));
constexpr auto kDataMeta = static_cast<std::uint16_t>(offsetof(PacketContext, data_meta));

constexpr ContextField kXdpFields[] = {
    {.name = "data", .offset = 0, .pointer = kData},
    {.name = "data_end", .offset = 4, .pointer = kDataEnd},
    {.name = "data_meta", .offset = 8, .pointer = kDataMeta},
    {.name = "ingress_ifindex", .offset = 12},
    {.name = "rx_queue_index", .offset = 16},
    {.name = "egress_ifindex", .offset = 20},
};

// Who may use what: the is_valid_access of each program type in the kernel.
constexpr std::uint8_t kDirect = kTc | kCgroup | kTunnel | kStream;     // reach into packets without helpers
constexpr std::uint8_t kWithSocket = kCgroup | kStream;                 // the addresses of a socket
constexpr ContextField kSkbFields[] = {
    {.name = "len", .offset = 0},
    {.name = "pkt_type", .offset = 4},
    {.name = "mark", .offset = 8, .writers = kTc | kCgroup | kTunnel},
    {.name = "queue_mapping", .offset = 12, .writers = kTc},
    {.name = "protocol", .offset = 16},
    {.name = "vlan_present", .offset = 20},
    {.name = "vlan_tci", .offset = 24},
    {.name = "vlan_proto", .offset = 28},
    {.name = "priority", .offset = 32, .writers = kTc | kCgroup | kTunnel | kStream},
    {.name = "ingress_ifindex", .offset = 36},
    {.name = "ifindex", .offset = 40},
    {.name = "tc_index", .offset = 44, .writers = kTc | kStream},
    {.name = "cb", .offset = 48, .size = 20, .writers = kSocket | kTc | kCgroup | kTunnel},
    {.name = "hash", .offset = 68},
    {.name = "tc_classid", .offset = 72, .readers = kTc, .writers = kTc},
    {.name = "data", .offset = 76, .readers = kDirect, .pointer = kData},
    {.name = "data_end", .offset = 80, .readers = kDirect, .pointer = kDataEnd},
    {.name = "napi_id", .offset = 84},
    {.name = "family", .offset = 88, .readers = kWithSocket},
    {.name = "remote_ip4", .offset = 92, .readers = kWithSocket},
    {.name = "local_ip4", .offset = 96, .readers = kWithSocket},
    {.name = "remote_ip6", .offset = 100, .size = 16, .readers = kWithSocket},
    {.name = "local_ip6", .offset = 116, .size = 16, .readers = kWithSocket},
    {.name = "remote_port", .offset = 132, .readers = kWithSocket},
    {.name = "local_port", .offset = 136, .readers = kWithSocket},
    {.name = "data_meta", .offset = 140, .readers = kTc, .pointer = kDataMeta},
    {.name = "tstamp", .offset = 152, .size = 8, .readers = kTc | kCgroup, .writers = kTc | kCgroup},
    {.name = "wire_len", .offset = 160, .readers = kTc},
    {.name = "gso_segs", .offset = 164},
    {.name = "sk", .offset = 168, .size = 8},                            // no packet here has a socket: null
    {.name = "gso_size", .offset = 176},
    {.name = "tstamp_type", .offset = 180, .size = 1, .readers = kTc},
    {.name = "hwtstamp", .offset = 184, .size = 8, .readers = kTc | kCgroup},
};

constexpr ContextLayout xdp() { return {.name = "xdp_md", .user = kXdp, .size = 24, .fields = kXdpFields}; }
constexpr ContextLayout skb(ContextUsers user) { return {.name = "__sk_buff", .user = user, .size = 192, .fields = kSkbFields}; }

struct LayoutRow {
  facts::ProgType type{};
  ContextLayout layout;
};
constexpr LayoutRow kLayouts[] = {
    {facts::ProgType::xdp, xdp()},
    {facts::ProgType::socket_filter, skb(kSocket)},
    {facts::ProgType::sched_cls, skb(kTc)},
    {facts::ProgType::sched_act, skb(kTc)},
    {facts::ProgType::cgroup_skb, skb(kCgroup)},
    {facts::ProgType::lwt_in, skb(kTunnel)},
    {facts::ProgType::lwt_out, skb(kTunnel)},
    {facts::ProgType::lwt_xmit, skb(kTunnel)},
    {facts::ProgType::lwt_seg6local, skb(kTunnel)},
    {facts::ProgType::sk_skb, skb(kStream)},
};

}  // namespace

const ContextField* ContextLayout::find(std::int64_t at, std::uint64_t bytes) const {
  auto found = std::ranges::find_if(fields, [&](const ContextField& field) {
    return at >= field.offset && static_cast<std::uint64_t>(at) + bytes <= std::uint64_t{field.offset} + field.size;
  });
  return found == fields.end() ? nullptr : &*found;
}

const ContextField* ContextLayout::find(std::string_view wanted) const {
  auto found = std::ranges::find(fields, wanted, &ContextField::name);
  return found == fields.end() ? nullptr : &*found;
}

const ContextLayout* context_layout(facts::ProgType type) {
  auto found = std::ranges::find(kLayouts, type, &LayoutRow::type);
  return found == std::end(kLayouts) ? nullptr : &found->layout;
}

}  // namespace espy::vm
