// Programs and memory as hex text.
#pragma once

#include <cctype>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "isa/insn.hpp"

namespace espy::vm {

/// Two digits a byte; white space between bytes is skipped.
inline Result<std::vector<std::byte>> bytes_of_hex(std::string_view text) {
  auto digit = [](char c) -> std::optional<int> {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
    return std::nullopt;
  };
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size();) {
    if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      ++i;
      continue;
    }
    auto high = digit(text[i]), low = i + 1 < text.size() ? digit(text[i + 1]) : std::nullopt;
    if (!high || !low) return fail(ErrorKind::malformed, "byte {} of the hex text is no two digits", bytes.size());
    bytes.push_back(static_cast<std::byte>(*high << 4 | *low));
    i += 2;
  }
  return bytes;
}

inline Result<std::vector<isa::Insn>> code_of_bytes(std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes.size() % sizeof(isa::Insn) != 0) return fail(ErrorKind::malformed, "{} bytes are no program", bytes.size());
  std::vector<isa::Insn> code(bytes.size() / sizeof(isa::Insn));
  std::memcpy(code.data(), bytes.data(), bytes.size());
  return code;
}

}  // namespace espy::vm
