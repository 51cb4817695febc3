#include "symbol/punycode.hpp"

#include <algorithm>
#include <cstdint>

namespace espy::symbol {

bool append_utf8(std::string& text, char32_t c) {
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
  auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return put(c), true;
  if (c < 0x800) return put(0xc0 | c >> 6), put(0x80 | (c & 0x3f)), true;
  if (c < 0x10000) return put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f)), true;
  return put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f)), true;
}

std::optional<std::string> decode_punycode(std::string_view text) {
  constexpr std::uint32_t kBase = 36, kMin = 1, kMax = 26, kSkew = 38, kLimit = 1U << 24;
  std::u32string characters;
  std::size_t at = text.rfind('_');
  if (at != text.npos) characters.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at));
  std::string_view deltas = at == text.npos ? text : text.substr(at + 1);
  std::uint32_t code = 0x80, position = 0, bias = 72, damp = 700;
  for (std::size_t i = 0; i < deltas.size();) {
    std::uint32_t delta = 0, weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
      if (i == deltas.size()) return std::nullopt;
      char c = deltas[i++];
      std::uint32_t digit = 0;
      if (c >= 'a' && c <= 'z') digit = static_cast<std::uint32_t>(c - 'a');
      else if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0') + 26;
      else return std::nullopt;
      if (weight > kLimit / kBase || digit * weight > kLimit - delta) return std::nullopt;
      delta += digit * weight;
      std::uint32_t threshold = k <= bias ? kMin : std::min(k - bias, kMax);
      if (digit < threshold) break;
      weight *= kBase - threshold;
    }
    const auto count = static_cast<std::uint32_t>(characters.size()) + 1;
    position += delta;
    code += position / count;
    position %= count;
    characters.insert(characters.begin() + position, static_cast<char32_t>(code));
    ++position;
    delta /= damp;
    damp = 2;
    delta += delta / count;
    std::uint32_t k = 0;
    for (; delta > (kBase - kMin) * kMax / 2; k += kBase) delta /= kBase - kMin;
    bias = k + (kBase - kMin + 1) * delta / (delta + kSkew);
  }
  std::string out;
  for (char32_t c : characters)
    if (!append_utf8(out, c)) return std::nullopt;
  return out;
}

}  // namespace espy::symbol
