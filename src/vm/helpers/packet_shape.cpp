// Helpers that give a packet another shape: VLAN tags, another network protocol, room for headers.
//
// An skb's outermost VLAN tag stands beside its bytes, as where a network card took it off: pushing a tag puts the one that was
// there into the bytes, popping takes the next one out of them.
#include <arpa/inet.h>
#include <net/ethernet.h>

#include <cerrno>
#include <cstring>

#include "vm/helpers/packet.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kMostBytes = 16384;
constexpr std::size_t kAddresses = 12;    // of Ethernet: the tag stands behind them
constexpr long kNotSupported = -524;      // ENOTSUPP, which only kernels know
constexpr std::uint32_t kIpv4 = 20, kIpv6 = 40;   // the least that the headers have

std::uint16_t in_network_order(unsigned protocol) { return htons(static_cast<std::uint16_t>(protocol)); }
std::uint32_t protocol_of(const Packet& packet) { return packet.field("protocol"); }
bool is_vlan(std::uint32_t protocol) { return protocol == in_network_order(ETHERTYPE_VLAN) || protocol == in_network_order(0x88a8); }

void tag(Packet& packet, std::uint32_t protocol, std::uint32_t tci) {
  packet.set_field("vlan_present", 1);
  packet.set_field("vlan_proto", protocol);
  packet.set_field("vlan_tci", tci);
}

std::uint64_t push_vlan(std::uint64_t, std::uint64_t protocol, std::uint64_t tci, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  auto wanted = static_cast<std::uint32_t>(protocol & 0xffff);
  if (!is_vlan(wanted)) wanted = in_network_order(ETHERTYPE_VLAN);
  if (p.field("vlan_present") != 0) {
    const auto old_protocol = static_cast<std::uint16_t>(p.field("vlan_proto"));
    const std::uint16_t old_tci = in_network_order(p.field("vlan_tci"));
    if (!change_packet([](Packet& of) { return of.resize_at(kAddresses, 4); })) return result(-ENOMEM);
    std::memcpy(p.data().data() + kAddresses, &old_protocol, 2);
    std::memcpy(p.data().data() + kAddresses + 2, &old_tci, 2);
    p.set_field("protocol", old_protocol);
    p.set_link_header_bytes(p.link_header_bytes() + 4);
  }
  tag(p, wanted, static_cast<std::uint32_t>(tci & 0xffff));
  return 0;
}

// Takes the tag out of the bytes. -1: there is none, or the packet is too short.
long tag_in_bytes(Packet& p) {
  if (!is_vlan(protocol_of(p)) || p.data().size() < kAddresses + 6) return -1;
  std::uint16_t tci = 0, next = 0;
  std::memcpy(&tci, p.data().data() + kAddresses + 2, 2);
  std::memcpy(&next, p.data().data() + kAddresses + 4, 2);
  if (!change_packet([](Packet& of) { return of.resize_at(kAddresses, -4); })) return -1;
  if (ntohs(next) < 1536) next = in_network_order(0x0400);   // a length: a frame of 802.3
  p.set_field("protocol", next);
  p.set_link_header_bytes(std::max<std::size_t>(p.link_header_bytes() - 4, ETHER_HDR_LEN));
  return ntohs(tci);
}

std::uint64_t pop_vlan(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  if (p.field("vlan_present") == 0 && (!is_vlan(protocol_of(p)) || tag_in_bytes(p) < 0)) return 0;
  for (const char* name : {"vlan_present", "vlan_proto", "vlan_tci"}) p.set_field(name, 0);
  const std::uint32_t outer = protocol_of(p);
  if (const long tci = tag_in_bytes(p); tci >= 0) tag(p, outer, static_cast<std::uint32_t>(tci));
  return 0;
}

// IPv4 becomes IPv6 or the other way round: the header is made longer or shorter, what stands in it is the program's affair.
std::uint64_t change_protocol(std::uint64_t, std::uint64_t to, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  if (flags != 0) return result(-EINVAL);
  const std::uint32_t from = protocol_of(p), wanted = static_cast<std::uint32_t>(to & 0xffff);
  const std::uint32_t v4 = in_network_order(ETHERTYPE_IP), v6 = in_network_order(ETHERTYPE_IPV6);
  if (!(from == v4 && wanted == v6) && !(from == v6 && wanted == v4)) return result(kNotSupported);
  const std::int64_t more = std::int64_t{kIpv6} - kIpv4;
  if (!change_packet([&](Packet& of) { return of.resize_at(of.link_header_bytes(), wanted == v6 ? more : -more); })) return result(-ENOMEM);
  p.set_field("protocol", wanted);
  p.set_field("hash", 0);
  return 0;
}

// ---- bpf_skb_adjust_room ----

enum RoomFlags : std::uint64_t {
  kFixedGso = 1, kEncapV4 = 2, kEncapV6 = 4, kEncapGre = 8, kEncapUdp = 0x10, kKeepChecksum = 0x20, kEncapEthernet = 0x40,
  kDecapV4 = 0x80, kDecapV6 = 0x100, kEncapL2Bytes = 0xff00000000000000
};
constexpr std::uint64_t kEncapL3 = kEncapV4 | kEncapV6, kDecapL3 = kDecapV4 | kDecapV6;

std::uint32_t header_bytes(std::uint32_t protocol) {
  return protocol == in_network_order(ETHERTYPE_IP) ? kIpv4 : protocol == in_network_order(ETHERTYPE_IPV6) ? kIpv6 : UINT32_MAX;
}

long may_grow(const Packet& p, std::uint64_t flags) {
  if ((flags & kEncapL3) == 0) return 0;
  if ((flags & kEncapL3) == kEncapL3) return -EINVAL;
  if ((flags & kEncapGre) != 0 && (flags & kEncapUdp) != 0) return -EINVAL;
  if ((flags & kEncapEthernet) != 0 && flags >> 56 < ETHER_HDR_LEN) return -EINVAL;
  return p.encapsulated() ? -EALREADY : 0;
}

std::uint64_t adjust_room(std::uint64_t, std::uint64_t by, std::uint64_t mode, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint64_t kKnown = kFixedGso | kEncapL3 | kEncapGre | kEncapUdp | kKeepChecksum | kEncapEthernet | kDecapL3 | kEncapL2Bytes;
  constexpr std::uint32_t kNet = 0, kMac = 1;
  Packet& p = *current_run()->packet;
  const std::int64_t more = static_cast<std::int32_t>(by), bytes = more < 0 ? -more : more;
  const std::uint32_t protocol = protocol_of(p);
  std::uint32_t least = header_bytes(protocol);
  if ((flags & ~kKnown) != 0) return result(-EINVAL);
  if (bytes > 0xfff) return result(-EFAULT);
  if (least == UINT32_MAX || static_cast<std::uint32_t>(mode) > kMac) return result(kNotSupported);
  const std::size_t at = p.link_header_bytes() + (static_cast<std::uint32_t>(mode) == kNet ? least : 0);
  if ((flags & kDecapL3) != 0) {
    if (more >= 0 || (flags & kDecapL3) == kDecapL3) return result(-EINVAL);
    least = (flags & kDecapV4) != 0 ? kIpv4 : kIpv6;
  }
  const std::int64_t net = static_cast<std::int64_t>(p.data().size()) - static_cast<std::int64_t>(p.link_header_bytes());
  if (more < 0 && (bytes >= net || net - bytes < least)) return result(kNotSupported);
  if (more >= 0 && p.data().size() + static_cast<std::size_t>(more) > kMostBytes) return result(kNotSupported);
  if (more < 0 && (flags & ~(kFixedGso | kDecapL3 | kKeepChecksum)) != 0) return result(-EINVAL);
  if (const long refused = more >= 0 ? may_grow(p, flags) : 0; refused != 0) return result(refused);
  if (!change_packet([&](Packet& of) { return of.resize_at(at, more); })) return result(-ENOMEM);
  if (more >= 0 && (flags & kEncapL3) != 0) p.set_encapsulated();
  if ((flags & (kEncapV6 | kDecapV6)) != 0) p.set_field("protocol", in_network_order(ETHERTYPE_IPV6));
  if ((flags & (kEncapV4 | kDecapV4)) != 0) p.set_field("protocol", in_network_order(ETHERTYPE_IP));
  return 0;
}

// Marks congestion in the IP header, where the sender said that it understands that. 1: it is marked.
std::uint64_t mark_congestion(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  std::span<std::byte> data = p.data().subspan(std::min(p.link_header_bytes(), p.data().size()));
  const std::uint32_t least = header_bytes(protocol_of(p));
  if (least == UINT32_MAX || data.size() < least) return 0;
  const bool four = least == kIpv4;
  const unsigned shift = four ? 0 : 4;   // IPv6's traffic class begins in the middle of a byte
  auto byte = static_cast<unsigned>(data[1]);
  const unsigned marks = byte >> shift & 3;
  if (marks == 0) return 0;
  if (marks == 3) return 1;
  data[1] = static_cast<std::byte>(byte | 3U << shift);
  if (!four) return 1;
  std::uint16_t sum;
  std::memcpy(&sum, data.data() + 10, 2);
  std::uint32_t fresh = (~ntohs(sum) & 0xffffU) + (3 - marks);   // RFC 1624, where the word grew by that
  sum = htons(static_cast<std::uint16_t>(~((fresh & 0xffff) + (fresh >> 16))));
  std::memcpy(data.data() + 10, &sum, 2);
  return 1;
}

std::uint64_t set_timestamp(std::uint64_t, std::uint64_t time, std::uint64_t kind, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  if (header_bytes(protocol_of(p)) == UINT32_MAX) return result(-EOPNOTSUPP);
  switch (static_cast<std::uint32_t>(kind)) {
    case 0: break;                                            // the wall clock, or no time
    case 1: case 2: if (time == 0) return result(-EINVAL); break;
    default: return result(-EINVAL);
  }
  p.set_wide_field("tstamp", time);
  p.set_field("tstamp_type", static_cast<std::uint32_t>(kind));
  return 0;
}

// A hash of who talks to whom, made once for a packet. (The kernel's own is keyed by a secret: nobody can expect a value.)
std::uint64_t flow_hash(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet& p = *current_run()->packet;
  if (const std::uint32_t known = p.field("hash"); known != 0) return known;
  std::span<const std::byte> data = p.data();
  const bool four = header_bytes(protocol_of(p)) == kIpv4;
  const std::size_t from = p.link_header_bytes() + (four ? 9 : 6), end = std::min(data.size(), p.link_header_bytes() + (four ? 24 : 44));
  std::uint32_t hash = 2166136261;
  for (std::size_t i = from; i < end; ++i) {
    if (four && (i == from + 1 || i == from + 2)) continue;   // the checksum
    hash = (hash ^ static_cast<std::uint32_t>(data[i])) * 16777619;
  }
  p.set_field("hash", hash | 1);
  return hash | 1;
}

constexpr Helper kHelpers[] = {{18, push_vlan, true}, {19, pop_vlan, true}, {31, change_protocol, true}, {34, flow_hash, true}, {50, adjust_room, true},
                               {97, mark_congestion, true}, {192, set_timestamp, true}};

}  // namespace

std::span<const Helper> packet_shape_helpers() { return kHelpers; }

}  // namespace espy::vm
