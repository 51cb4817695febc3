// Helpers on packets: xdp_… and skb_….
#include <cerrno>
#include <climits>
#include <cstring>

#include "vm/helpers/packet.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

constexpr std::int64_t kEthernet = 14;
constexpr std::int64_t kFrameHeader = 40;          // what the kernel keeps in front of an XDP packet's headroom
constexpr std::uint32_t kMostSkbBytes = 16384;

Packet* packet() { return current_run()->packet; }

std::int64_t number(std::uint64_t value) { return static_cast<std::int32_t>(value); }
std::int64_t size_of(Packet& of) { return static_cast<std::int64_t>(of.data().size()); }

// ---- XDP ----

std::uint64_t adjust_head(std::uint64_t, std::uint64_t by, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet& p = *packet();
  const std::int64_t room = static_cast<std::int64_t>(p.room_before());
  const std::int64_t start = room + number(by);
  if (start < kFrameHeader + static_cast<std::int64_t>(p.metadata_bytes()) || number(by) > size_of(p) - kEthernet) return result(-EINVAL);
  return change_packet([&](Packet& of) { return of.move_begin(number(by), true); }) ? 0 : result(-EINVAL);
}

std::uint64_t adjust_tail(std::uint64_t, std::uint64_t by, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (size_of(*packet()) + number(by) < kEthernet) return result(-EINVAL);
  return change_packet([&](Packet& of) { return of.move_end(number(by), true); }) ? 0 : result(-EINVAL);
}

std::uint64_t adjust_meta(std::uint64_t, std::uint64_t by, std::uint64_t, std::uint64_t, std::uint64_t) {
  Packet& p = *packet();
  const std::int64_t size = static_cast<std::int64_t>(p.metadata_bytes()) - number(by);
  if (size < 0 || static_cast<std::int64_t>(p.room_before()) - size < kFrameHeader) return result(-EINVAL);
  if (size % 4 != 0 || size > 255) return result(-EACCES);
  return change_packet([&](Packet& of) { return of.move_metadata(number(by)); }) ? 0 : result(-EINVAL);
}

std::uint64_t buffer_length(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return packet()->data().size(); }

// Nothing may be copied between no memory and no memory: programs that were not verified ask for it.
void copy(void* to, const void* from, std::size_t bytes) {
  if (bytes != 0) std::memmove(to, from, bytes);
}

std::uint64_t xdp_load(std::uint64_t, std::uint64_t at, std::uint64_t to, std::uint64_t size, std::uint64_t) {
  const auto offset = static_cast<std::uint32_t>(at), bytes = static_cast<std::uint32_t>(size);
  if (offset > 0xffff || bytes > 0xffff) return result(-EFAULT);
  if (offset + bytes > packet()->data().size()) return result(-EINVAL);
  copy(pointer<void>(to), packet()->data().data() + offset, bytes);
  return 0;
}

std::uint64_t xdp_store(std::uint64_t, std::uint64_t at, std::uint64_t from, std::uint64_t size, std::uint64_t) {
  const auto offset = static_cast<std::uint32_t>(at), bytes = static_cast<std::uint32_t>(size);
  if (offset > 0xffff || bytes > 0xffff) return result(-EFAULT);
  if (offset + bytes > packet()->data().size()) return result(-EINVAL);
  copy(packet()->data().data() + offset, pointer<void>(from), bytes);
  return 0;
}

// ---- skb ----

bool inside(std::uint32_t offset, std::uint32_t size) { return offset <= INT_MAX && std::uint64_t{offset} + size <= packet()->data().size(); }

std::uint64_t skb_store(std::uint64_t, std::uint64_t at, std::uint64_t from, std::uint64_t size, std::uint64_t flags) {
  constexpr std::uint64_t kKnown = 3;   // BPF_F_RECOMPUTE_CSUM, BPF_F_INVALIDATE_HASH
  const auto offset = static_cast<std::uint32_t>(at), bytes = static_cast<std::uint32_t>(size);
  if ((flags & ~kKnown) != 0) return result(-EINVAL);
  if (!inside(offset, bytes)) return result(-EFAULT);
  copy(packet()->data().data() + offset, pointer<void>(from), bytes);
  if ((flags & 2) != 0) packet()->set_field("hash", 0);
  return 0;
}

std::uint64_t load_from(std::uint64_t start, std::uint64_t at, std::uint64_t to, std::uint64_t size) {
  const auto offset = static_cast<std::uint32_t>(at), bytes = static_cast<std::uint32_t>(size);
  const std::uint64_t from = start + offset;
  if (offset > INT_MAX || from > UINT32_MAX || !inside(static_cast<std::uint32_t>(from), bytes)) {
    if (bytes != 0) std::memset(pointer<void>(to), 0, bytes);
    return result(-EFAULT);
  }
  copy(pointer<void>(to), packet()->data().data() + from, bytes);
  return 0;
}

std::uint64_t skb_load(std::uint64_t, std::uint64_t at, std::uint64_t to, std::uint64_t size, std::uint64_t) { return load_from(0, at, to, size); }

// From the Ethernet header (0), or the network header (1) behind it. A hidden Ethernet header is not reached.
std::uint64_t skb_load_relative(std::uint64_t, std::uint64_t at, std::uint64_t to, std::uint64_t size, std::uint64_t header) {
  const auto bytes = static_cast<std::uint32_t>(size);
  const std::size_t link = packet()->link_header_bytes();
  if (static_cast<std::uint32_t>(at) > 0xffff || header > 1 || (header == 0 && link == 0)) return std::memset(pointer<void>(to), 0, bytes), result(-EFAULT);
  return load_from(header == 0 ? 0 : link, at, to, size);
}

std::uint64_t pull(std::uint64_t, std::uint64_t size, std::uint64_t, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint32_t>(size) > packet()->data().size() ? result(-ENOMEM) : 0;   // it all lies in one piece here
}

std::uint64_t change_tail(std::uint64_t, std::uint64_t size, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  const auto wanted = static_cast<std::uint32_t>(size);
  if (flags != 0 || wanted > kMostSkbBytes || wanted < packet()->link_header_bytes()) return result(-EINVAL);
  return change_packet([&](Packet& of) { return of.move_end(std::int64_t{wanted} - size_of(of), true); }) ? 0 : result(-ENOMEM);
}

std::uint64_t change_head(std::uint64_t, std::uint64_t room, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  const auto more = static_cast<std::uint32_t>(room);
  if (flags != 0 || packet()->data().size() + std::uint64_t{more} > kMostSkbBytes) return result(-EINVAL);
  return change_packet([&](Packet& of) { return of.resize_at(0, more); }) ? 0 : result(-ENOMEM);
}

// Only among host, broadcast, multicast and other host.
std::uint64_t change_type(std::uint64_t, std::uint64_t type, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (packet()->field("pkt_type") > 3 || static_cast<std::uint32_t>(type) > 3) return result(-EINVAL);
  return packet()->set_field("pkt_type", static_cast<std::uint32_t>(type)), 0;
}

std::uint64_t set_hash(std::uint64_t, std::uint64_t hash, std::uint64_t, std::uint64_t, std::uint64_t) {
  return packet()->set_field("hash", static_cast<std::uint32_t>(hash)), 0;
}
std::uint64_t forget_hash(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return packet()->set_field("hash", 0), 0; }

// Packets here have no socket: its cookie and class are nothing, its owner is nobody.
std::uint64_t none(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return 0; }
std::uint64_t nobody(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return 65534; }

constexpr Helper kHelpers[] = {{9, skb_store, true}, {17, none, true}, {24, none, true}, {26, skb_load, true}, {32, change_type, true},
                               {38, change_tail, true}, {39, pull, true}, {41, forget_hash, true}, {43, change_head, true}, {44, adjust_head, true}, {46, none, true}, {47, nobody, true}, {79, none, true}, {83, none, true}, {151, none, true},
                               {48, set_hash, true}, {54, adjust_meta, true}, {65, adjust_tail, true}, {68, skb_load_relative, true}, {188, buffer_length, true},
                               {189, xdp_load, true}, {190, xdp_store, true}};

}  // namespace

std::span<const Helper> packet_helpers() { return kHelpers; }

}  // namespace espy::vm
