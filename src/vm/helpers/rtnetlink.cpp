#include "vm/helpers/rtnetlink.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kFibMatch = 0x2000;   // RTM_F_FIB_MATCH: the route itself rather than what was made of it

std::size_t bytes_of_family(std::uint8_t family) { return family == AF_INET ? 4 : 16; }

template <typename Body>
class Request {
 public:
  Request(std::uint16_t type, const Body& body) : bytes_(sizeof(nlmsghdr) + sizeof body) {
    const nlmsghdr header{.nlmsg_len = 0, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1, .nlmsg_pid = 0};
    std::memcpy(bytes_.data(), &header, sizeof header);
    std::memcpy(bytes_.data() + sizeof header, &body, sizeof body);
  }
  void add(std::uint16_t type, Bytes value) {
    const rtattr attribute{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + value.size()), .rta_type = type};
    const std::size_t at = bytes_.size();
    bytes_.resize(at + RTA_ALIGN(attribute.rta_len));
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    std::ranges::copy(value, bytes_.begin() + static_cast<std::ptrdiff_t>(at + sizeof attribute));
  }
  void add(std::uint16_t type, std::uint32_t value) { add(type, std::as_bytes(std::span(&value, 1))); }
  /// The answer's bytes, header first.
  Result<std::vector<std::byte>> ask() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket) return fail_sys(errno, "ask for routes");
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::send(socket.get(), bytes_.data(), bytes_.size(), 0) < 0) return fail_sys(errno, "ask for routes");
    std::vector<std::byte> answer(8192);
    const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
    if (got < 0) return fail_sys(errno, "routes");
    answer.resize(static_cast<std::size_t>(got));
    if (answer.size() < sizeof(nlmsghdr)) return fail(ErrorKind::malformed, "an answer of {} bytes", answer.size());
    if (load<std::uint16_t>(answer, 4) == NLMSG_ERROR && answer.size() >= sizeof(nlmsghdr) + 4) {
      return fail_sys(-load<std::int32_t>(answer, sizeof(nlmsghdr)), "routes");
    }
    return answer;
  }

 private:
  std::vector<std::byte> bytes_;
};

/// Calls `visit(type, value)` for each attribute behind header and body.
template <typename Visit>
void attributes(Bytes answer, std::size_t body, const Visit& visit) {
  for (std::size_t at = sizeof(nlmsghdr) + body; at + sizeof(rtattr) <= answer.size();) {
    const auto size = load<std::uint16_t>(answer, at), type = load<std::uint16_t>(answer, at + 2);
    if (size < sizeof(rtattr) || size > answer.size() - at) return;
    visit(type, answer.subspan(at + sizeof(rtattr), size - sizeof(rtattr)));
    at += RTA_ALIGN(size);
  }
}

NetAddress address_in(Bytes value) {
  NetAddress address{};
  std::ranges::copy(value.first(std::min(value.size(), address.size())), address.begin());
  return address;
}
std::uint32_t number_in(Bytes value) { return value.size() >= 4 ? load<std::uint32_t>(value, 0) : 0; }

}  // namespace

Result<Route> find_route(const RouteQuestion& question) {
  const std::size_t bytes = bytes_of_family(question.family);
  const auto bits = static_cast<unsigned char>(bytes * 8);
  const bool from = std::ranges::any_of(question.source, [](std::byte b) { return b != std::byte{0}; });
  rtmsg body{};
  body.rtm_family = question.family;
  body.rtm_dst_len = bits;
  body.rtm_src_len = from ? bits : 0;
  body.rtm_flags = kFibMatch;
  Request<rtmsg> request(RTM_GETROUTE, body);
  request.add(RTA_DST, Bytes(question.destination).first(bytes));
  if (question.out_interface != 0) request.add(RTA_OIF, question.out_interface);
  if (question.mark != 0) request.add(RTA_MARK, question.mark);
  const std::vector<std::byte> answer = TRY(request.ask());
  if (answer.size() < sizeof(nlmsghdr) + sizeof(rtmsg)) return fail(ErrorKind::malformed, "an answer of {} bytes", answer.size());
  Route route{.type = static_cast<std::uint8_t>(answer[sizeof(nlmsghdr) + offsetof(rtmsg, rtm_type)]), .gateway_family = question.family};
  attributes(answer, sizeof(rtmsg), [&](std::uint16_t type, Bytes value) {
    switch (type) {
      case RTA_OIF: route.interface = number_in(value); break;
      case RTA_PRIORITY: route.metric = number_in(value); break;
      case RTA_GATEWAY: route.gateway = address_in(value); break;
      case RTA_PREFSRC: route.source = address_in(value); break;
      case RTA_VIA:
        if (value.size() > 2) route.gateway_family = static_cast<std::uint8_t>(load<std::uint16_t>(value, 0)), route.gateway = address_in(value.subspan(2));
        break;
      case RTA_MULTIPATH:   // of several ways, the first
        if (value.size() >= sizeof(rtnexthop) && route.interface == 0) {
          route.interface = static_cast<std::uint32_t>(load<std::int32_t>(value, offsetof(rtnexthop, rtnh_ifindex)));
          if (value.size() >= sizeof(rtnexthop) + sizeof(rtattr) + bytes && load<std::uint16_t>(value, sizeof(rtnexthop) + 2) == RTA_GATEWAY) {
            route.gateway = address_in(value.subspan(sizeof(rtnexthop) + sizeof(rtattr), bytes));
          }
        }
        break;
      default: break;
    }
  });
  return route;
}

std::optional<LinkAddress> find_neighbour(std::uint8_t family, const NetAddress& address, std::uint32_t interface) {
  constexpr std::uint16_t kValid = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
  ndmsg body{};
  body.ndm_family = family;
  body.ndm_ifindex = static_cast<int>(interface);
  Request<ndmsg> request(RTM_GETNEIGH, body);
  request.add(NDA_DST, Bytes(address).first(bytes_of_family(family)));
  auto answer = request.ask();
  if (!answer || answer->size() < sizeof(nlmsghdr) + sizeof(ndmsg)) return std::nullopt;
  if ((load<std::uint16_t>(*answer, sizeof(nlmsghdr) + offsetof(ndmsg, ndm_state)) & kValid) == 0) return std::nullopt;
  std::optional<LinkAddress> found;
  attributes(*answer, sizeof(ndmsg), [&](std::uint16_t type, Bytes value) {
    if (type != NDA_LLADDR || value.size() != found.emplace().size()) return;
    std::ranges::copy(value, found->begin());
  });
  return found;
}

}  // namespace espy::vm
