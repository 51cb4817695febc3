// bpf_fib_lookup: where a packet would be forwarded to, by the routes of the process' network namespace. Policy rules that look at
// the interface a packet came in on are not followed: the answer is that for a packet of this host's.
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "vm/helpers/packet.hpp"
#include "vm/helpers/rtnetlink.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

/// `struct bpf_fib_lookup`.
struct FibLookup {
  std::uint8_t family, protocol;
  std::uint16_t source_port, destination_port;
  std::uint16_t length;             // in: the packet's behind its link header, 0: not asked; out: the most that passes
  std::uint32_t interface;
  std::uint32_t class_or_metric;
  NetAddress source, destination;
  std::uint32_t vlan_or_table;
  LinkAddress source_link, destination_link;   // in: the first four bytes are a mark

  std::uint32_t mark() const {
    std::uint32_t value;
    std::memcpy(&value, source_link.data(), sizeof value);
    return value;
  }
};
static_assert(sizeof(FibLookup) == 64 && offsetof(FibLookup, source) == 16 && offsetof(FibLookup, destination_link) == 58);

enum FibFlags : std::uint64_t { kDirect = 1, kOutput = 2, kSkipNeighbour = 4, kTable = 8, kSource = 16, kMark = 32 };
enum FibResult : long { kSuccess, kBlackhole, kUnreachable, kProhibited, kNotForwarded, kForwardingOff, kUnsupported, kNoNeighbour, kTooLong, kNoSource };

long failure_of(int error) {
  return error == EINVAL ? kBlackhole : error == EHOSTUNREACH ? kUnreachable : error == EACCES ? kProhibited : kNotForwarded;
}

struct Interface {
  ifreq request{};
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  explicit Interface(std::uint32_t number) {
    if (::if_indextoname(number, request.ifr_name) == nullptr) request.ifr_name[0] = '\0';
  }
  bool exists() const { return request.ifr_name[0] != '\0'; }
  bool forwards(std::uint8_t family) const {
    auto text = read_text_file(fmt::format("/proc/sys/net/{}/conf/{}/forwarding", family == AF_INET ? "ipv4" : "ipv6", request.ifr_name));
    return text && !text->starts_with('0');
  }
  std::uint32_t mtu() { return ::ioctl(socket.get(), SIOCGIFMTU, &request) == 0 ? static_cast<std::uint32_t>(request.ifr_mtu) : 0; }
  LinkAddress address() {
    LinkAddress found{};
    if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0) std::memcpy(found.data(), request.ifr_hwaddr.sa_data, found.size());
    return found;
  }
};

long follow(FibLookup& lookup, const Route& route, std::uint64_t flags, Packet& packet) {
  switch (route.type) {
    case RTN_UNICAST: break;
    case RTN_BLACKHOLE: return kBlackhole;
    case RTN_UNREACHABLE: return kUnreachable;
    case RTN_PROHIBIT: return kProhibited;
    default: return kNotForwarded;
  }
  Interface out(route.interface);
  const std::uint32_t mtu = out.mtu();
  const std::uint16_t asked = lookup.length;
  if (asked > mtu) return lookup.length = static_cast<std::uint16_t>(std::min(mtu, 0xffffU)), kTooLong;
  lookup.interface = route.interface;
  lookup.class_or_metric = route.metric;
  NetAddress hop = lookup.destination;
  if (route.gateway) hop = *route.gateway, lookup.family = route.gateway_family;
  if ((flags & kSource) != 0) {
    if (route.source == NetAddress{}) return kNoSource;
    lookup.source = route.source;
  }
  std::memcpy(lookup.destination.data(), hop.data(), lookup.family == AF_INET ? 4 : 16);
  if ((flags & kSkipNeighbour) == 0) {
    const auto neighbour = find_neighbour(lookup.family, hop, route.interface);
    if (!neighbour) return kNoNeighbour;
    lookup.destination_link = *neighbour;
    lookup.source_link = out.address();
  }
  lookup.vlan_or_table = 0;
  lookup.length = static_cast<std::uint16_t>(std::min(mtu, 0xffffU));
  if (packet.is_xdp() || asked != 0) return kSuccess;
  return packet.link_header_bytes() + mtu + 4 < packet.data().size() ? kTooLong : kSuccess;
}

std::uint64_t look_up(std::uint64_t, std::uint64_t at, std::uint64_t size, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint64_t kKnown = kDirect | kOutput | kSkipNeighbour | kSource | kMark;   // a table of one's own cannot be asked for
  if (static_cast<std::uint32_t>(size) < sizeof(FibLookup) || (flags & ~kKnown) != 0) return result(-EINVAL);
  FibLookup lookup;
  std::memcpy(&lookup, pointer<void>(at), sizeof lookup);
  if (lookup.family != AF_INET && lookup.family != AF_INET6) return result(-EAFNOSUPPORT);
  const Interface in(lookup.interface);
  if (!in.exists()) return result(-ENODEV);
  if (!in.forwards(lookup.family)) return kForwardingOff;
  RouteQuestion question{.family = lookup.family, .destination = lookup.destination, .source = lookup.source, .out_interface = (flags & kOutput) != 0 ? lookup.interface : 0,
                         .mark = (flags & kMark) != 0 ? lookup.mark() : 0};
  auto route = find_route(question);
  if (!route) return result(route.error().sys == 0 ? kNotForwarded : failure_of(route.error().sys));
  const long outcome = follow(lookup, *route, flags, *current_run()->packet);
  std::memcpy(pointer<void>(at), &lookup, sizeof lookup);
  return result(outcome);
}

constexpr Helper kHelpers[] = {{69, look_up, true}};

}  // namespace

std::span<const Helper> route_helpers() { return kHelpers; }

}  // namespace espy::vm
