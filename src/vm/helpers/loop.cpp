// Helpers that call back into the program.
#include <cerrno>

#include "vm/helpers/table.hpp"
#include "vm/map.hpp"

namespace espy::vm {
namespace {

constexpr std::uint64_t kMostTurns = 1U << 23;

std::uint64_t loop(std::uint64_t turns, std::uint64_t function, std::uint64_t context, std::uint64_t flags, std::uint64_t) {
  Run& run = *current_run();
  turns &= 0xffffffff;
  if (flags != 0) return result(-EINVAL);
  if (turns > kMostTurns) return static_cast<std::uint32_t>(-E2BIG);   // 32 bits, as where the kernel inlines the loop
  for (std::uint64_t i = 0; i < turns; ++i) {
    if (run.call(run, function, i, context, 0, 0) != 0 || !run.fault.empty()) return after_callbacks(run, i + 1);
  }
  return turns;
}

std::uint64_t for_each(std::uint64_t map, std::uint64_t function, std::uint64_t context, std::uint64_t flags, std::uint64_t) {
  Run& run = *current_run();
  if (flags != 0) return result(-EINVAL);
  const long visited = pointer<Map>(map)->for_each([&](const void* key, void* value) -> long {
    auto at = reinterpret_cast<std::uintptr_t>(key);
    if (run.safe) run.own.add({.begin = at, .end = at + pointer<Map>(map)->attributes().key_size, .writable = false, .what = "key"});
    long stop = static_cast<long>(run.call(run, function, map, at, reinterpret_cast<std::uint64_t>(value), context));
    if (run.safe) run.own.remove(at);
    return stop != 0 || !run.fault.empty() ? 1 : 0;
  });
  return after_callbacks(run, result(visited));
}

constexpr Helper kHelpers[] = {{164, for_each}, {181, loop}};

}  // namespace

std::span<const Helper> loop_helpers() { return kHelpers; }

}  // namespace espy::vm
