// Any bytes as a zip archive: a member of it is found, or not, inside its bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "symbol/archive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy;
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const auto read = [&](std::uint64_t offset, std::uint64_t bytes) -> Result<std::vector<std::byte>> {
    if (offset > size || bytes > size - offset) return fail(ErrorKind::malformed, "past the end");
    return std::vector<std::byte>(begin + offset, begin + offset + bytes);
  };
  for (const char* name : {"lib/x.so", "a"}) {
    const auto member = symbol::find_member(read, size, "fuzz.zip", name);
    if (member && (member->offset > size || member->size > size - member->offset)) std::abort();
  }
  return 0;
}
