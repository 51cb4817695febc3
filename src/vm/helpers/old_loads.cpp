#include "vm/helpers/old_loads.hpp"

#include "vm/run.hpp"

namespace espy::vm {
namespace {

constexpr std::int64_t kFromNetworkHeader = -0x100000, kFromLinkHeader = -0x200000;   // linux/filter.h

}  // namespace

std::int64_t load_packet(Packet& packet, std::uint32_t offset, unsigned bytes) {
  const std::span<const std::byte> data = packet.data();
  std::int64_t from = static_cast<std::int32_t>(offset);
  if (from < 0) {
    // Without an Ethernet header in the data, the data begins at the network header.
    const auto link = static_cast<std::int64_t>(packet.link_header_bytes());
    if (from >= kFromNetworkHeader) from += link - kFromNetworkHeader;
    else if (from >= kFromLinkHeader && link != 0) from -= kFromLinkHeader;
    else return -1;
  }
  if (static_cast<std::uint64_t>(from) > data.size() || bytes > data.size() - static_cast<std::uint64_t>(from)) return -1;
  std::int64_t value = 0;
  for (std::byte byte : data.subspan(static_cast<std::size_t>(from), bytes)) value = value << 8 | std::to_integer<std::int64_t>(byte);
  return value;
}

std::uint64_t load_packet_of_run(std::uint64_t offset, std::uint64_t bytes, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet* packet = current_run()->packet;
  return static_cast<std::uint64_t>(packet == nullptr ? -1 : load_packet(*packet, static_cast<std::uint32_t>(offset), static_cast<unsigned>(bytes)));
}

}  // namespace espy::vm
