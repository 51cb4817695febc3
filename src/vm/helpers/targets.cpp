// Helpers that say where a packet goes on: what they return is what the program then returns. The packet notes the target.
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "vm/helpers/packet.hpp"
#include "vm/helpers/table.hpp"
#include "vm/maps/targets.hpp"

namespace espy::vm {
namespace {

constexpr std::uint64_t kIngress = 1;                              // BPF_F_INGRESS
constexpr std::uint64_t kActions = 3;                              // flags that are what a redirect through a map returns if nothing is there
constexpr std::uint64_t kBroadcast = 8, kExcludeIngress = 16;
constexpr std::uint64_t kXdpAborted = 0, kXdpRedirect = 4, kTcShot = 2, kTcRedirect = 7;

std::uint64_t redirect(std::uint64_t target, std::uint64_t flags, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet* p = current_run()->packet;
  if (p == nullptr) return result(-EINVAL);
  if (p->is_xdp() ? flags != 0 : (flags & ~kIngress) != 0) return p->is_xdp() ? kXdpAborted : kTcShot;
  p->add_redirect({.target = static_cast<std::uint32_t>(target), .flags = flags});
  return p->is_xdp() ? kXdpRedirect : kTcRedirect;
}

std::uint64_t clone_redirect(std::uint64_t, std::uint64_t target, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  if ((flags & ~kIngress) != 0) return result(-EINVAL);
  return current_run()->packet->add_redirect({.target = static_cast<std::uint32_t>(target), .flags = flags, .clone = true}), 0;
}

Redirect::Kind kind_of(const TargetMap& map) {
  using facts::MapType;
  return map.attributes().type == MapType::cpumap ? Redirect::Kind::cpu : map.attributes().type == MapType::xskmap ? Redirect::Kind::socket : Redirect::Kind::interface;
}

std::uint64_t redirect_map(std::uint64_t at, std::uint64_t key, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  const auto* map = dynamic_cast<const TargetMap*>(pointer<const Map>(at));
  Packet* p = current_run()->packet;
  if (map == nullptr || p == nullptr) return kXdpAborted;
  const std::uint64_t known = kActions | (map->is_device_map() ? kBroadcast | kExcludeIngress : 0);
  if ((flags & ~known) != 0) return kXdpAborted;
  if ((flags & kBroadcast) != 0) {
    p->add_redirect({.flags = flags, .kind = Redirect::Kind::all_interfaces, .map = map});
    return kXdpRedirect;
  }
  const auto target = map->target(static_cast<std::uint32_t>(key));
  if (!target) return flags & kActions;
  p->add_redirect({.target = *target, .flags = flags, .kind = kind_of(*map), .map = map});
  return kXdpRedirect;
}

std::uint64_t redirect_neighbour(std::uint64_t target, std::uint64_t, std::uint64_t bytes, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint32_t kParameters = 20;   // struct bpf_redir_neigh
  Packet* p = current_run()->packet;
  const auto given = static_cast<std::uint32_t>(bytes);
  if (p == nullptr || flags != 0 || (given != 0 && given < kParameters)) return kTcShot;
  p->add_redirect({.target = static_cast<std::uint32_t>(target), .kind = Redirect::Kind::neighbour});
  return kTcRedirect;
}

std::uint64_t redirect_peer(std::uint64_t target, std::uint64_t flags, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet* p = current_run()->packet;
  if (p == nullptr || flags != 0) return kTcShot;
  p->add_redirect({.target = static_cast<std::uint32_t>(target), .kind = Redirect::Kind::peer});
  return kTcRedirect;
}

/// Bytes that an interface sends behind its link header at most; a negative errno.
long mtu_of(std::uint32_t interface) {
  ifreq request{};
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::if_indextoname(interface, request.ifr_name) == nullptr) return -ENODEV;
  return ::ioctl(socket.get(), SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : -ENODEV;
}

// Does the packet, longer by some bytes, pass the interface? 1: it would have to be cut. In: a length behind the link header that
// counts instead of the packet's, if it is not 0. Out: the interface's.
std::uint64_t check_mtu(std::uint64_t, std::uint64_t interface, std::uint64_t length_at, std::uint64_t more, std::uint64_t flags) {
  constexpr std::uint64_t kSegments = 1;
  constexpr std::int64_t kLinkHeader = 14;
  Packet& p = *current_run()->packet;
  std::uint32_t length;
  std::memcpy(&length, pointer<void>(length_at), 4);
  const std::int64_t by = static_cast<std::int32_t>(more);
  if (p.is_xdp() ? flags != 0 : (flags & ~kSegments) != 0 || (flags == kSegments && (by != 0 || length != 0))) return result(-EINVAL);
  const std::uint32_t own = p.field(p.is_xdp() ? "ingress_ifindex" : "ifindex");
  const long mtu = mtu_of(static_cast<std::uint32_t>(interface) == 0 ? own : static_cast<std::uint32_t>(interface));
  if (mtu < 0) return result(mtu);
  const std::int64_t size = (length != 0 ? length + kLinkHeader : static_cast<std::int64_t>(p.data().size())) + by;
  const auto found = static_cast<std::uint32_t>(mtu);
  std::memcpy(pointer<void>(length_at), &found, 4);
  return size > mtu + kLinkHeader ? 1 : 0;
}

constexpr Helper kHelpers[] = {{13, clone_redirect, true}, {23, redirect}, {51, redirect_map}, {152, redirect_neighbour}, {155, redirect_peer}, {163, check_mtu, true}};

}  // namespace

std::span<const Helper> target_helpers() { return kHelpers; }

}  // namespace espy::vm
