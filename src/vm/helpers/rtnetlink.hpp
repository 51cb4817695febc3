// What this network namespace knows of routes and neighbours, asked of the kernel over a netlink socket.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/error.hpp"

namespace espy::vm {

using NetAddress = std::array<std::byte, 16>;   ///< IPv4: the first four
using LinkAddress = std::array<std::byte, 6>;

struct RouteQuestion {
  std::uint8_t family = 0;               ///< AF_INET or AF_INET6
  NetAddress destination{}, source{};    ///< a source of zeroes: any
  std::uint32_t out_interface = 0;       ///< 0: any
  std::uint32_t mark = 0;
};
struct Route {
  std::uint8_t type = 0;                 ///< RTN_UNICAST …
  std::uint32_t interface = 0, metric = 0;
  std::optional<NetAddress> gateway = {};
  std::uint8_t gateway_family = 0;
  NetAddress source{};                   ///< what this host would send from
};
/// The error's `sys` is what the kernel says of destinations that cannot be reached.
Result<Route> find_route(const RouteQuestion& question);

/// nullopt: its address is not known now.
std::optional<LinkAddress> find_neighbour(std::uint8_t family, const NetAddress& address, std::uint32_t interface);

}  // namespace espy::vm
