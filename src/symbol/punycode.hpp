// Text in Unicode that had to be written in letters, digits and underscores (RFC 3492, with the alphabet of RFC 2603).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espy::symbol {

/// "gdel_5qa" is "gödel"; nullopt: it is none. The ASCII part stands before the last underscore.
std::optional<std::string> decode_punycode(std::string_view text);

/// Appends a character as UTF-8; false: it is no Unicode scalar value.
bool append_utf8(std::string& text, char32_t character);

}  // namespace espy::symbol
