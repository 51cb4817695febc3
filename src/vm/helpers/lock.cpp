// bpf_spin_lock: four bytes in a map's value.
#include <atomic>

#include "vm/cpu.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

// A verified program holds a lock for a few instructions. One that was not verified may take it twice: safe mode gives up.
constexpr std::uint32_t kPatience = 1U << 22;

std::uint64_t lock(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (at % 4 != 0) return current_run()->fault = "a lock that is not aligned", 0;
  std::atomic_ref<std::uint32_t> word(*pointer<std::uint32_t>(at));
  for (std::uint32_t turns = 0; word.exchange(1, std::memory_order_acquire) != 0;) {
    while (word.load(std::memory_order_relaxed) != 0) {
      relax();
      if (++turns == kPatience && current_run()->safe) return current_run()->fault = "waits for a lock that nobody gives back", 0;
    }
  }
  return 0;
}

std::uint64_t unlock(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (at % 4 != 0) return current_run()->fault = "a lock that is not aligned", 0;
  std::atomic_ref(*pointer<std::uint32_t>(at)).store(0, std::memory_order_release);
  return 0;
}

constexpr Helper kHelpers[] = {{93, lock}, {94, unlock}};

}  // namespace

std::span<const Helper> lock_helpers() { return kHelpers; }

}  // namespace espy::vm
