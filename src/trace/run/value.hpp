// Values as text and as JSON, of every type of the language.
//
// A value is its bytes, laid out as types.hpp says. Bytes that are too few (a record that was cut) read as zero: nothing
// here fails.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "trace/run/names.hpp"
#include "trace/types.hpp"

namespace espy::trace::run {

/// Appends a value as print() and %s show it: `5`, `text`, `[1,2]`, `(1, a)`, `{ .x = 1 }`, `0xffff…`, `vfs_read`.
void append_text(const Type& type, Bytes value, Names& names, std::string& out);

/// Appends a value as JSON: numbers as numbers (as strings where a double cannot hold them), enums and pointers as
/// numbers, tuples as arrays, structures as objects, the rest as strings.
void append_json(const Type& type, Bytes value, Names& names, std::string& out);

/// Numbers that a double cannot hold become strings.
void append_json_number(std::int64_t value, std::string& out);
void append_json_number(std::uint64_t value, std::string& out);

void append_number(std::int64_t value, std::string& out);
void append_number(std::uint64_t value, std::string& out);

/// An integer of 1, 2, 4 or 8 bytes, extended by its sign. Of a bigger size, its first 8 bytes.
std::int64_t load_integer(Bytes value, std::uint32_t size, bool is_signed);

/// The text of a string value, up to its NUL; `cut` tells that it has none.
std::string_view string_of(const Type& type, Bytes value, bool& cut);
/// The data of a buffer value.
Bytes buffer_of(const Type& type, Bytes value);

/// Appends bytes: printable ones as they are, others as \xNN. `%rx` escapes all; `%rh` writes all as "61 0a".
enum class BufferForm : std::uint8_t { ascii, escaped, hex };
void append_buffer(Bytes data, BufferForm form, std::string& out);

}  // namespace espy::trace::run
