#include "btf/mentions.hpp"

#include <cstring>
#include <string>

#include "base/bytes.hpp"

namespace espy::btf {

bool mentions(const Btf& btf, std::string_view name) {
  // struct btf_header: magic, version, flags, then hdr_len, type_off, type_len, str_off, str_len, of 32 bits each. That the
  // sections are inside was checked when it was opened.
  const Bytes bytes = btf.bytes();
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  };
  const Bytes strings = bytes.subspan(std::size_t{word(4)} + word(16), word(20));
  std::string wanted(name);
  wanted += '\0';
  return ::memmem(strings.data(), strings.size(), wanted.data(), wanted.size()) != nullptr;
}

}  // namespace espy::btf
