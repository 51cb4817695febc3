// A timer's callback: a function of a program, run by itself.
#include <algorithm>

#include "vm/maps/ring_buffer.hpp"
#include "vm/object.hpp"

namespace espy::vm {

bool Program::has_function(std::uint64_t function) const {
  if (compiled_) return compiled_->contains(function);
  return std::ranges::binary_search(steps_.functions, function);
}

// What goes wrong in it ends it: there is nobody to tell.
void Program::call_timer(Map& map, std::uint64_t function, std::uintptr_t value) const {
  constexpr std::uint64_t kBudget = std::uint64_t{1} << 24;
  std::vector<std::byte> key(std::max<std::size_t>(map.attributes().key_size, 1));
  if (!map.key_of(pointer<void>(value), key.data())) return;
  Run run{.object = object_, .program = this, .shared = &object_->values_, .maps = object_->handles_, .budget = kBudget};
  const auto key_at = reinterpret_cast<std::uintptr_t>(key.data());
  const auto map_at = reinterpret_cast<std::uint64_t>(&map);
  if (compiled_) return static_cast<void>(compiled_->call(run, function, map_at, key_at, value));
  run.own.add({.begin = key_at, .end = key_at + key.size(), .writable = false, .what = "key"});
  static_cast<void>(interpret(steps_, run, {map_at, key_at, value, 0, 0}, static_cast<std::uint32_t>(function)));
  for (std::byte* record : run.records) RingBuffer::finish(record, true);
}

}  // namespace espy::vm
