// Bytes × BTF type → what a person or a program reads. Everything that records, maps and global data show goes through
// here: the type decides how a value looks. For streams of one type, make a Shape once and pass it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "btf/btf.hpp"
#include "render/shape.hpp"
#include "render/walk.hpp"

namespace espy::render {

/// Names an address: "vfs_read+0x10"; empty: unknown.
using SymbolName = std::function<std::string(std::uint64_t address)>;

struct ValueOptions {
  Endian endian = Endian::native;       ///< of the value's integers; a foreign object's data has its own
  SymbolName symbol = {};
  /// CLOCK_REALTIME - CLOCK_MONOTONIC in nanoseconds, to show points in time as wall-clock time; 0: not known, they are
  /// shown as seconds since boot.
  std::int64_t wall_offset_ns = 0;
};

/// Writes a value as JSON: structs as objects, unions as objects of all their members, char arrays as strings, arrays of
/// unsigned bytes as arrays of numbers, enums by name (the number where no name fits, "A|B" for flags), bit-fields as
/// numbers, addresses (IPv4, IPv6, MAC) as strings, times and durations as the raw number, pointers and 128-bit integers
/// as "0x…" strings, 64-bit integers as numbers. Bytes that are too short for the type: what is there, then null.
void write_json(JsonWriter& json, const Shape& shape, Bytes value, const ValueOptions& options = {});
void write_json(JsonWriter& json, const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name = {},
                const ValueOptions& options = {});
void write_json(JsonWriter& json, const Shape& shape, const Place& place, Bytes value, const ValueOptions& options = {});

/// The same on one line of text: scalars bare, structs as `{.pid = 12, .comm = "sh"}`, arrays of unsigned bytes as
/// hexadecimal, times as 15:04:05.000000, durations with a unit. Control characters of the program's text are escaped.
std::string text(const Shape& shape, Bytes value, const ValueOptions& options = {});
std::string text(const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name = {},
                 const ValueOptions& options = {});
/// A part of a value as a table cell: text is not quoted.
std::string cell(const Shape& shape, const Place& place, Bytes value, const ValueOptions& options = {});

/// A value without a type: hexadecimal bytes, "0a ff".
std::string hex(Bytes value);

/// Text from elsewhere made safe for a terminal: control characters and bytes that are not UTF-8 become \xNN.
std::string printable(std::string_view text);

/// Nanoseconds with a unit, four significant digits: "850ns", "1.25ms", "90s".
std::string duration_text(std::int64_t value, std::uint64_t unit_ns = 1);
/// CLOCK_MONOTONIC nanoseconds as local time "15:04:05.000000".
std::string time_text(std::uint64_t monotonic_ns, std::int64_t wall_offset_ns);

}  // namespace espy::render
