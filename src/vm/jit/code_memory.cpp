#include "vm/jit/code_memory.hpp"

#include <sys/mman.h>

#include <cstring>

namespace espy::vm {

Result<CodeMemory> CodeMemory::create(std::span<const std::uint8_t> code) {
  MappedRegion region = TRY(MappedRegion::map(-1, code.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE));
  std::memcpy(region.data(), code.data(), code.size());
  if (::mprotect(region.data(), code.size(), PROT_READ | PROT_EXEC) != 0) return fail_sys(errno, "make {} bytes of code executable", code.size());
  return CodeMemory(std::move(region), code.size());
}

}  // namespace espy::vm
