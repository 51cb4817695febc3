#include "vm/context/packet.hpp"

#include <algorithm>
#include <cstring>

namespace espy::vm {
namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::uint32_t kLoopback = 1;     // the device that BPF_PROG_TEST_RUN takes packets to come from

// The fields of an skb that BPF_PROG_TEST_RUN lets its caller set.
constexpr std::string_view kSettable[] = {"mark", "priority", "ingress_ifindex", "ifindex", "cb", "tstamp", "wire_len", "gso_segs", "gso_size", "hwtstamp"};

std::uint32_t word(Bytes from, std::size_t at) {
  std::uint32_t value = 0;
  if (at < from.size()) std::memcpy(&value, from.data() + at, std::min<std::size_t>(4, from.size() - at));
  return value;
}

// PACKET_HOST, _BROADCAST, _MULTICAST, _OTHERHOST, as seen by a device whose address is all zeroes.
std::uint32_t packet_type(Bytes destination) {
  const auto is = [&](std::byte value) { return std::ranges::all_of(destination, [&](std::byte b) { return b == value; }); };
  if (is(std::byte{0})) return 0;
  if (is(std::byte{0xff})) return 1;
  return (destination[0] & std::byte{1}) != std::byte{0} ? 2 : 3;
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Result<Packet> Packet::make(facts::ProgType type, Bytes input, Bytes context) {
  const ContextLayout* layout = context_layout(type);
  if (layout == nullptr) return fail(ErrorKind::invalid_argument, "programs of type {} take no packets", static_cast<unsigned>(type));
  Packet packet(*layout, std::min(input.size(), kMostBytes));
  TRY(packet.fill(input));
  TRY(packet.take_context(input, context));
  packet.refresh();
  return packet;
}

Result<void> Packet::refill(Bytes input) {
  if (input.size() > kMostBytes) return fill(input);
  if (buffer_.size() < kHeadroom + input.size() + kTailroom) buffer_.resize(kHeadroom + input.size() + kTailroom);
  context_ = {};
  link_ = hidden_ = 0;
  encapsulated_ = false;
  redirects_.clear();
  TRY(fill(input));
  refresh();
  return {};
}

Result<void> Packet::fill(Bytes input) {
  if (input.size() < kEthernet) return fail(ErrorKind::invalid_argument, "a packet of {} bytes: less than an Ethernet header's {}", input.size(), kEthernet);
  if (input.size() > kMostBytes) return fail(ErrorKind::invalid_argument, "a packet of {} bytes: more than {}", input.size(), kMostBytes);
  std::ranges::copy(input, buffer_.begin() + kHeadroom);
  meta_ = begin_ = kHeadroom;
  end_ = kHeadroom + input.size();
  if (is_xdp()) {
    set_field("ingress_ifindex", kLoopback);
    return {};
  }
  describe_frame(input);
  if (layout_->user == kTc) link_ = kEthernet;
  else hidden_ = kEthernet, begin_ = meta_ = kHeadroom + kEthernet;
  return {};
}

void Packet::describe_frame(Bytes input) {
  std::uint16_t protocol = 0;
  std::memcpy(&protocol, input.data() + 12, 2);
  // Below 1536 it is a length, and the frame one of 802.3: ETH_P_802_2.
  if (static_cast<std::uint16_t>(protocol << 8 | protocol >> 8) < 1536) protocol = 0x0400;
  set_field("protocol", protocol);
  set_field("pkt_type", packet_type(input.first(6)));
  set_field("ifindex", kLoopback);
}

Result<void> Packet::take_context(Bytes input, Bytes context) {
  if (context.empty()) return {};
  if (context.size() > layout_->size && !all_zero(context.subspan(layout_->size))) {
    return fail(ErrorKind::invalid_argument, "a context of {} bytes: `struct {}` has {}", context.size(), layout_->name, layout_->size);
  }
  context = context.first(std::min<std::size_t>(context.size(), layout_->size));
  if (is_xdp()) {
    const std::uint32_t metadata = word(context, 0), end = word(context, 4), egress = word(context, 20), start = word(context, 8);
    if (start != 0 || end != input.size() || egress != 0 || metadata > end || metadata % 4 != 0 || metadata > 255) {
      return fail(ErrorKind::invalid_argument, "the context says that the packet lies from {} to {}, metadata from {}", metadata, end, start);
    }
    if (input.size() - metadata < kEthernet) return fail(ErrorKind::invalid_argument, "a packet of {} bytes behind its metadata", input.size() - metadata);
    begin_ += metadata;
    set_field("ingress_ifindex", word(context, 12));
    set_field("rx_queue_index", word(context, 16));
    return {};
  }
  std::vector<std::byte> rest(context.begin(), context.end());
  for (std::string_view name : kSettable) {
    const ContextField* field = layout_->find(name);
    for (std::size_t i = field->offset; i < std::size_t{field->offset} + field->size && i < rest.size(); ++i) {
      context_.fields[i] = rest[i];
      rest[i] = std::byte{0};
    }
  }
  if (context.size() < 44 || word(context, 40) == 0) set_field("ifindex", kLoopback);
  for (const ContextField& field : layout_->fields) {
    if (field.offset < rest.size() && !all_zero(Bytes(rest).subspan(field.offset, std::min<std::size_t>(field.size, rest.size() - field.offset)))) {
      return fail(ErrorKind::invalid_argument, "the context sets `{}`, which a test cannot", field.name);
    }
  }
  return {};
}

// The context follows the packet.
void Packet::refresh() {
  const auto base = reinterpret_cast<std::uint64_t>(buffer_.data());
  context_.data = base + begin_;
  context_.data_end = base + end_;
  context_.data_meta = base + meta_;
  if (!is_xdp()) set_field("len", static_cast<std::uint32_t>(end_ - begin_));
}

std::vector<std::byte> Packet::output() const {
  std::vector<std::byte> bytes(hidden_);
  bytes.insert(bytes.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_));
  return bytes;
}

std::vector<std::byte> Packet::context_output() const {
  std::vector<std::byte> bytes(context_.fields.begin(), context_.fields.begin() + layout_->size);
  if (is_xdp()) {
    const std::uint32_t data = static_cast<std::uint32_t>(begin_ - meta_), end = static_cast<std::uint32_t>(end_ - meta_);
    std::memcpy(bytes.data(), &data, 4);
    std::memcpy(bytes.data() + 4, &end, 4);
  }
  return bytes;
}

bool Packet::move_begin(std::int64_t by, bool with_metadata) {
  const std::int64_t metadata = static_cast<std::int64_t>(begin_ - meta_);
  const std::int64_t to = static_cast<std::int64_t>(begin_) + by, start = with_metadata ? to - metadata : to;
  if (start < 0 || to > static_cast<std::int64_t>(end_)) return false;
  if (with_metadata && metadata != 0) std::memmove(buffer_.data() + start, buffer_.data() + meta_, static_cast<std::size_t>(metadata));
  begin_ = static_cast<std::size_t>(to);
  meta_ = static_cast<std::size_t>(start);
  refresh();
  return true;
}

bool Packet::move_end(std::int64_t by, bool zeroed) {
  const std::int64_t to = static_cast<std::int64_t>(end_) + by;
  if (to < static_cast<std::int64_t>(begin_) || to > static_cast<std::int64_t>(buffer_.size())) return false;
  if (zeroed && by > 0) std::memset(buffer_.data() + end_, 0, static_cast<std::size_t>(by));
  end_ = static_cast<std::size_t>(to);
  refresh();
  return true;
}

bool Packet::move_metadata(std::int64_t by) {
  const std::int64_t to = static_cast<std::int64_t>(meta_) + by;
  if (to < 0 || to > static_cast<std::int64_t>(begin_)) return false;
  meta_ = static_cast<std::size_t>(to);
  refresh();
  return true;
}

bool Packet::resize_at(std::size_t at, std::int64_t count) {
  const std::size_t size = end_ - begin_;
  if (at > size || (count < 0 && static_cast<std::size_t>(-count) > size - at)) return false;
  if (!move_begin(-count, false)) return false;
  std::byte* bytes = buffer_.data() + begin_;
  if (count > 0) {
    std::memmove(bytes, bytes + count, at);
    std::memset(bytes + at, 0, static_cast<std::size_t>(count));
  } else {
    std::memmove(bytes, bytes + count, at);
  }
  return true;
}

std::uint32_t Packet::field(std::string_view name) const {
  const ContextField* found = layout_->find(name);
  return found == nullptr ? 0 : word(context_.fields, found->offset);
}

void Packet::set_field(std::string_view name, std::uint32_t value) {
  if (const ContextField* found = layout_->find(name)) std::memcpy(context_.fields.data() + found->offset, &value, std::min<std::size_t>(4, found->size));
}

void Packet::set_wide_field(std::string_view name, std::uint64_t value) {
  if (const ContextField* found = layout_->find(name); found != nullptr && found->size == 8) std::memcpy(context_.fields.data() + found->offset, &value, 8);
}

Region Packet::region() const {
  const auto base = reinterpret_cast<std::uintptr_t>(buffer_.data());
  return {.begin = base + meta_, .end = base + end_, .what = "packet"};
}

}  // namespace espy::vm
