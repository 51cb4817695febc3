#include "vm/jit/code_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/text.hpp"

namespace espy::vm {

Result<CodeMemory> CodeMemory::create(std::span<const std::uint8_t> code) {
  MappedRegion region = TRY(MappedRegion::map(-1, code.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
  std::memcpy(region.data(), code.data(), code.size());
  if (::mprotect(region.data(), code.size(), PROT_READ | PROT_EXEC) != 0) return fail_sys(errno, "make {} bytes of code executable", code.size());
  return CodeMemory(std::move(region), code.size());
}

void announce(const void* code, std::size_t size, std::string_view name) {
  static const bool wanted = std::getenv("ESPY_PERF_MAP") != nullptr;
  if (!wanted) return;
  UniqueFd file(::open(fmt::format("/tmp/perf-{}.map", ::getpid()).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return;
  const std::string line = fmt::format("{:x} {:x} bpf:{}\n", reinterpret_cast<std::uintptr_t>(code), size, name);
  static_cast<void>(::write(file.get(), line.data(), line.size()));
}

}  // namespace espy::vm
