// The one walk over bytes by a Shape. What the bytes hold is decided here (bit-fields, byte order, flexible arrays, names
// of enums, addresses); how it is written is the sink's business. JSON, text and table cells are three sinks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "render/shape.hpp"

namespace espy::render {

/// Receives a value piece by piece.
class ValueSink {
 public:
  virtual ~ValueSink() = default;
  virtual void begin_record() = 0;
  virtual void key(std::string_view name) = 0;
  virtual void end_record() = 0;
  virtual void begin_array() = 0;
  virtual void element() = 0;                          ///< before each element
  virtual void end_array() = 0;
  virtual void signed_number(std::int64_t value) = 0;
  virtual void unsigned_number(std::uint64_t value) = 0;
  virtual void wide_number(std::uint64_t high, std::uint64_t low) = 0;  ///< 128 bits
  virtual void boolean(bool value) = 0;
  virtual void real(double value) = 0;
  virtual void pointer(std::uint64_t value) = 0;
  virtual void symbol(std::uint64_t address) = 0;      ///< a kernel address
  virtual void text(std::string_view bytes) = 0;       ///< from the program: any bytes, no NUL
  virtual void word(std::string_view name) = 0;        ///< ours: the name of an enumerator, an address
  virtual void time(std::uint64_t monotonic_ns) = 0;
  virtual void duration(std::int64_t value, std::uint64_t unit_ns) = 0;  ///< in the field's unit
  virtual void bytes(Bytes value) = 0;                 ///< without a type, or a plain array of unsigned bytes
  virtual void missing() = 0;                          ///< the bytes ended before this value
};

/// Where a value stands in the bytes.
struct Place {
  NodeIdx node{};
  Meaning meaning = Meaning::plain;
  std::uint64_t bit_offset = 0;
  std::uint32_t bits = 0;        ///< width of a bit-field; 0: the whole type
  bool to_end = true;            ///< a flexible array at its end takes the rest of the bytes
};

/// Walks one value in `bytes`, whose integers are in byte order `endian`. Work is bounded by the number of bytes.
void walk(const Shape& shape, const Place& place, Bytes bytes, Endian endian, ValueSink& sink);
inline void walk(const Shape& shape, Bytes bytes, Endian endian, ValueSink& sink) {
  walk(shape, {.node = shape.root_index(), .meaning = shape.meaning()}, bytes, endian, sink);
}

/// An integer of up to 8 bytes at a place, sign-extended if its type is signed; nullopt: the bytes end before it, or it
/// is no integer.
std::optional<std::uint64_t> scalar_at(const Shape& shape, const Place& place, Bytes bytes, Endian endian = Endian::native);

/// The words for addresses, as text.
std::string ipv4_text(Bytes four);
std::string ipv6_text(Bytes sixteen);
std::string mac_text(Bytes six);

}  // namespace espy::render
