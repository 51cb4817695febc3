// Contexts of packet programs: what programs are compiled for, and what lies there in user space.
//
// A program is compiled for `struct xdp_md` or `struct __sk_buff`: 4-byte fields, some of which stand for pointers. The kernel
// turns each access of such a field into accesses of its own structures when it loads the program. So do we: a program gets a
// PacketContext, pointers first and then the fields as they were declared, and rewrite.hpp turns accesses into accesses of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "facts/types.hpp"

namespace espy::vm {

/// What r1 of a packet program points to.
struct PacketContext {
  std::uint64_t data = 0, data_end = 0, data_meta = 0;   ///< addresses; programs read them, helpers move them
  std::array<std::byte, 192> fields = {};                ///< `struct __sk_buff` or `struct xdp_md`, but for the pointers
};

/// Kinds of programs that differ in which fields they may read and write, as bits.
enum ContextUsers : std::uint8_t { kXdp = 1, kSocket = 2, kTc = 4, kCgroup = 8, kTunnel = 16, kStream = 32 };
inline constexpr std::uint8_t kEveryUser = 63;

struct ContextField {
  std::string_view name;
  std::uint16_t offset = 0, size = 4;   ///< as programs are compiled
  std::uint8_t readers = kEveryUser, writers = 0;
  /// The field stands for a pointer: its bytes in PacketContext. nullopt: a value, among `fields`.
  std::optional<std::uint16_t> pointer = std::nullopt;
};

struct ContextLayout {
  std::string_view name;                ///< "__sk_buff"
  std::uint8_t user = 0;                ///< which of the ContextUsers the program is
  std::uint16_t size = 0;               ///< bytes of the struct
  std::span<const ContextField> fields;
  const ContextField* find(std::int64_t offset, std::uint64_t size) const;   ///< the field that has these bytes; may be null
  const ContextField* find(std::string_view name) const;
};

/// nullptr: programs of this type get their context as it is.
const ContextLayout* context_layout(facts::ProgType type);

}  // namespace espy::vm
