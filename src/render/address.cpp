// Network addresses as text.
#include <arpa/inet.h>

#include "render/walk.hpp"

namespace espy::render {

std::string ipv4_text(Bytes four) {
  char buffer[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, four.data(), buffer, sizeof buffer) != nullptr ? buffer : "";
}

std::string ipv6_text(Bytes sixteen) {
  char buffer[INET6_ADDRSTRLEN];
  return ::inet_ntop(AF_INET6, sixteen.data(), buffer, sizeof buffer) != nullptr ? buffer : "";
}

std::string mac_text(Bytes six) {
  auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(six[i]); };
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", byte(0), byte(1), byte(2), byte(3), byte(4), byte(5));
}

}  // namespace espy::render
