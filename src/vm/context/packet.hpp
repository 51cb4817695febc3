// Packet: what a packet program runs on: bytes with room before and behind them, metadata, and the context that tells of them.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "vm/context/fields.hpp"
#include "vm/region.hpp"

namespace espy::vm {

class Map;

/// Where a program sent its packet (bpf_redirect and its kind).
struct Redirect {
  enum class Kind : std::uint8_t { interface, neighbour, peer, cpu, socket, all_interfaces };
  std::uint32_t target = 0;      ///< an interface's or CPU's number, or the socket that stood in the map
  std::uint64_t flags = 0;
  bool clone = false;            ///< the packet itself went on
  Kind kind = Kind::interface;
  const Map* map = nullptr;      ///< that the target was found in; all_interfaces: all of its
};

class Packet {
 public:
  /// Small packets get a page, as drivers give one; its end is kept for the kernel's bookkeeping there, and so it is here.
  static constexpr std::size_t kHeadroom = 256, kTailroom = 320, kPage = 4096;

  /// A packet for programs of this type. `context` is empty or begins a `struct xdp_md` or `struct __sk_buff` as
  /// BPF_PROG_TEST_RUN takes it: fields that a test cannot set must be zero; xdp_md's `data` says how many bytes of the input
  /// are metadata. As there, programs that see packets behind their Ethernet header begin 14 bytes into the input.
  static Result<Packet> make(facts::ProgType type, Bytes input, Bytes context = {});

  /// Becomes another packet, in the same memory where it fits. What was noted of the one before is gone.
  Result<void> refill(Bytes input);

  Packet(Packet&&) = default;
  Packet& operator=(Packet&&) = default;

  PacketContext* context() { return &context_; }
  const ContextLayout& layout() const { return *layout_; }

  /// Bytes as the program has left them; for programs behind the Ethernet header, with 14 zero bytes in front, as the kernel gives.
  std::vector<std::byte> output() const;
  /// The context as it is now, in the layout that programs are compiled for, without the pointers.
  std::vector<std::byte> context_output() const;
  const std::vector<Redirect>& redirects() const { return redirects_; }
  void add_redirect(Redirect redirect) { redirects_.push_back(redirect); }

  // ---- what helpers do ----
  std::span<std::byte> data() { return {buffer_.data() + begin_, end_ - begin_}; }
  std::size_t room_before() const { return begin_; }          ///< bytes from the buffer's start to the data
  std::size_t metadata_bytes() const { return begin_ - meta_; }
  std::size_t link_header_bytes() const { return link_; }     ///< of Ethernet with its VLAN tags, in the data
  void set_link_header_bytes(std::size_t bytes) { link_ = bytes; }
  bool encapsulated() const { return encapsulated_; }         ///< the program put another packet's headers around it
  void set_encapsulated() { encapsulated_ = true; }
  /// Moves begin, end or the start of the metadata by some bytes. false: there is no room, and nothing changed.
  bool move_begin(std::int64_t by, bool with_metadata);
  bool move_end(std::int64_t by, bool zeroed);
  bool move_metadata(std::int64_t by);
  /// Puts `count` zero bytes behind the first `at` (or, if negative, takes them out).
  bool resize_at(std::size_t at, std::int64_t count);
  std::uint32_t field(std::string_view name) const;
  void set_field(std::string_view name, std::uint32_t value);
  void set_wide_field(std::string_view name, std::uint64_t value);

  /// Memory the program may touch: the packet with its metadata. Changes when the above move.
  Region region() const;

  bool is_xdp() const { return layout_->user == kXdp; }

 private:
  Packet(const ContextLayout& layout, std::size_t bytes) : layout_(&layout), buffer_(std::max(kHeadroom + bytes + kTailroom, kPage - kTailroom)) {}
  Result<void> fill(Bytes input);
  Result<void> take_context(Bytes input, Bytes context);
  void describe_frame(Bytes input);
  void refresh();

  const ContextLayout* layout_;
  PacketContext context_;
  std::vector<std::byte> buffer_;
  std::size_t meta_ = kHeadroom, begin_ = kHeadroom, end_ = kHeadroom;
  std::size_t link_ = 0, hidden_ = 0;     // Ethernet header: in the data; before it, unseen
  bool encapsulated_ = false;
  std::vector<Redirect> redirects_;
};

}  // namespace espy::vm
