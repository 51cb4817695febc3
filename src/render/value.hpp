// Bytes × BTF type → what a person or a program reads. Everything that records, maps and global data show goes through
// here: the type decides how a value looks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "btf/btf.hpp"

namespace espy::render {

/// What a field means beyond its C type, told by a `btf_type_tag`/`btf_decl_tag`, or guessed from the name of the field
/// or its typedef (`saddr` of 4 or 16 bytes, `ts_ns`, `…_ns`, `dport` __be16). One table in value.cpp.
enum class Meaning : std::uint8_t {
  plain,
  text,          ///< a char array, up to the first NUL
  ipv4, ipv6, mac,
  be16,          ///< network byte order
  be32,
  time_ns,       ///< CLOCK_MONOTONIC nanoseconds: shown as wall-clock time in text
  duration_ns,   ///< shown with a unit in text
  kernel_symbol, ///< an address, shown as name+offset where a resolver is given
};
Meaning meaning_of(const btf::Btf& btf, btf::TypeId type, std::string_view field_name, const btf::Type* holder = nullptr,
                   int component = -1);

/// Writes a value as JSON: structs as objects, unions as objects of all their members, char arrays as strings, enums by
/// name (the number where no name fits), bit-fields, pointers as "0x…" strings, 64-bit integers as numbers. Bytes that
/// are too short for the type: what is there, then null.
void write_json(JsonWriter& json, const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name = {});

/// The same on one line of text: scalars bare, structs as `{.pid = 12, .comm = "sh"}`.
std::string text(const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name = {});

/// A value without a type: hexadecimal bytes.
std::string hex(Bytes value);

}  // namespace espy::render
