// Loads from packets by instructions of their own: what programs did before they could reach packets through pointers.
#pragma once

#include <cstdint>

#include "vm/context/packet.hpp"

namespace espy::vm {

/// `bytes` (1, 2, 4) of the packet as a number, read as the network has them; negative: the packet has them not. Offsets from
/// -0x100000 count from the network header, those from -0x200000 from the Ethernet header.
std::int64_t load_packet(Packet& packet, std::uint32_t offset, unsigned bytes);

/// The same for compiled code, on the packet of the thread's run.
std::uint64_t load_packet_of_run(std::uint64_t offset, std::uint64_t bytes, std::uint64_t, std::uint64_t, std::uint64_t);

}  // namespace espy::vm
